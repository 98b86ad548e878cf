import socket

try:
    socket.socket(socket.AF_INET6, socket.SOCK_STREAM).connect(("::1", int("@TCP_PORT@")))
    print("ESCAPED")
except OSError as error:
    print("CONTAINED", error)
