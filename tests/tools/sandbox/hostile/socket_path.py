import socket

try:
    socket.socket(socket.AF_UNIX).connect("@SOCKET_PATH@")
    print("ESCAPED")
except OSError as error:
    print("CONTAINED", error)
