import contextlib
from pathlib import Path

found = []
for root in ("/proc/1/root", "/proc/self/root", "/proc/self/cwd/../../../../..", "/proc/1/cwd", "/dev/fd/../../.."):
    with contextlib.suppress(OSError):
        found.append(Path(root + "@SECRET_FILE@").read_text())
print("ESCAPED" if found else "CONTAINED", found)
