import ctypes

libc = ctypes.CDLL(None, use_errno=True)
done = []
for source, target, kind, flags in (
    (b"tmpfs", b"/usr", b"tmpfs", 0),
    (b"proc", b"/tmp", b"proc", 0),
    (b"/", b"/tmp", b"", 4096),
    (b"none", b"/", b"", 32),
):
    if libc.mount(source, target, kind, flags, None) == 0:
        done.append(target)
done += [target for target in (b"/proc", b"/usr", b"/", b"/home/sandbox") if libc.umount2(target, 2) == 0]
print("ESCAPED" if done else "CONTAINED", done)
