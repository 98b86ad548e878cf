import os

print("ESCAPED" if os.path.exists("/sys/kernel") or os.path.exists("/sys/fs/cgroup") else "CONTAINED")
