import contextlib
import ctypes
import os

# Memory that neither the address space nor a file system accounts for.
made = []
with contextlib.suppress(OSError):
    made.append(os.memfd_create("hoard"))
if ctypes.CDLL(None).shmget(0, 1 << 30, 0o1600) >= 0:
    made.append("shmget")
print("ESCAPED" if made else "CONTAINED", made)
