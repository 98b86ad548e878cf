try:
    with open("big", "wb") as file:
        for _ in range(4096):
            file.write(bytes(1 << 20))
            file.flush()
    print("ESCAPED")
except OSError as error:
    print("CONTAINED", error)
