import socket

opened = []
for family, kind in ((16, 3), (17, 3), (2, 3), (40, 1), (38, 5), (29, 3), (31, 3), (44, 3)):
    # netlink, packet, raw, vsock, kernel crypto, CAN, bluetooth, XDP
    try:
        socket.socket(family, kind)
        opened.append(family)
    except OSError:
        pass
print("ESCAPED" if opened else "CONTAINED", opened)
