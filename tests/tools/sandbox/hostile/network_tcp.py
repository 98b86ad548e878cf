import socket

try:
    socket.create_connection(("127.0.0.1", int("@TCP_PORT@")), timeout=3)
    print("ESCAPED")
except OSError as error:
    print("CONTAINED", error)
