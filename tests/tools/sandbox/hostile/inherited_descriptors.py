import os

usable = []
for number in range(3, 1024):
    try:
        os.fstat(number)
        usable.append((number, os.readlink(f"/proc/self/fd/{number}")))
    except OSError:
        pass
print("ESCAPED" if usable else "CONTAINED", usable)
