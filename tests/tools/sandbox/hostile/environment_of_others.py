import contextlib
import glob
from pathlib import Path

found = []
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    with contextlib.suppress(OSError):
        found += [path] if "@SECRET@" in Path(path).read_text(errors="replace") else []
print("ESCAPED" if found else "CONTAINED", found)
