import os
import stat

harmless = {"null", "zero", "full", "random", "urandom", "tty", "console", "ptmx"}
nodes = {}
for folder, _, files in os.walk("/dev"):
    for name in files:
        mode = os.lstat(os.path.join(folder, name)).st_mode
        if stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and name not in harmless):
            nodes[name] = oct(mode)
print("ESCAPED" if nodes else "CONTAINED", nodes)
