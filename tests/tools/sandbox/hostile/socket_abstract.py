import socket

try:
    socket.socket(socket.AF_UNIX).connect("\0@ABSTRACT@")
    print("ESCAPED")
except OSError as error:
    print("CONTAINED", error)
