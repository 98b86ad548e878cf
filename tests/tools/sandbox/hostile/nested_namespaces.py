import ctypes

libc = ctypes.CDLL(None, use_errno=True)
NEW = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x8000000, "uts": 0x4000000}
done = [name for name, flag in NEW.items() if libc.unshare(flag) == 0]
if "@MACHINE@" == "x86_64":
    for name, flag in NEW.items():
        child = libc.syscall(56, flag | 17, 0, 0, 0, 0)
        if child == 0:
            libc._exit(0)
        if child > 0:
            done.append("clone " + name)
print("ESCAPED" if done else "CONTAINED", done)
