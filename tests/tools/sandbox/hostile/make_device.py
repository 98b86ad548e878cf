import os
import stat

made = []
for kind, numbers in ((stat.S_IFBLK, (8, 0)), (stat.S_IFBLK, (254, 0)), (stat.S_IFCHR, (1, 1))):
    try:
        os.mknod("device", kind | 0o600, os.makedev(*numbers))
        made.append(numbers)
    except OSError:
        pass
print("ESCAPED" if made else "CONTAINED", made)
