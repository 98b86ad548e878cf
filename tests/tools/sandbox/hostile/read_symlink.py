import os
from pathlib import Path

os.symlink("@SECRET_FILE@", "link")
try:
    print("ESCAPED", Path("link").read_text())
except OSError as error:
    print("CONTAINED", error)
