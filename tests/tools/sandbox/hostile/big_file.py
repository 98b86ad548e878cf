import os

written = 0
try:
    for number in range(64):
        with open(f"{'/tmp' if number % 2 else '/dev/shm'}/{number}", "wb") as file:
            for _ in range(64):
                written += file.write(bytes(1 << 20))
                file.flush()
except OSError as error:
    print(error)
total = sum(os.path.getsize(f"{folder}/{name}") for folder in ("/tmp", "/dev/shm") for name in os.listdir(folder))
print("ESCAPED" if total > 3 * int("@FILE_BYTES@") else "CONTAINED", total)
