import os
from pathlib import Path

own = ("/tmp", "/home/sandbox", "/dev/shm", "/proc")
written = []
for folder, folders, _ in os.walk("/"):
    folders[:] = [name for name in folders if not os.path.join(folder, name).startswith(own)]
    if folder.count("/") > 4:
        folders.clear()
    try:
        Path(folder, "ESCAPED").touch()
        written.append(folder)
    except OSError:
        pass
print("ESCAPED" if written else "CONTAINED", written)
