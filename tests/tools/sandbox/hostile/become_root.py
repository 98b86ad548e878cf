import os
import stat

became = []
for attack in (lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgroups([0]), lambda: os.setgid(0)):
    try:
        attack()
        became.append("set")
    except OSError:
        pass
for folder, _, files in os.walk("/usr"):
    for name in files:
        path = os.path.join(folder, name)
        mode = os.lstat(path).st_mode
        if stat.S_ISREG(mode) and mode & stat.S_ISUID and not os.statvfs(path).f_flag & os.ST_NOSUID:
            became.append(path)
print("ESCAPED" if became or 0 in os.getresuid() else "CONTAINED", became)
