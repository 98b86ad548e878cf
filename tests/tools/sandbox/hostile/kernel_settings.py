import os

changed = []
for path in (
    "kernel/core_pattern",
    "kernel/hostname",
    "vm/drop_caches",
    "net/ipv4/ip_forward",
    "user/max_user_namespaces",
):
    try:
        # opening is proof enough; should it succeed, the machine that runs the test stays as it is
        with open("/proc/sys/" + path, "w"):
            pass
        changed.append(path)
    except OSError:
        pass
for path in ("/proc/sysrq-trigger", "/proc/self/oom_score_adj"):
    try:
        with open(path, "w") as file:
            if "oom" in path:
                file.write("-1000")
        changed.append(path)
    except OSError:
        pass
for path in ("/proc/kcore", "/proc/kmsg", "/dev/mem", "/dev/kmsg"):
    try:
        with open(path, "rb") as file:
            file.read(1)
        changed.append(path)
    except OSError:
        pass
print("ESCAPED" if changed else "CONTAINED", changed, os.getuid())
