import os
from pathlib import Path

os.symlink("@WRITABLE_FOLDER@", "out")
try:
    Path("out/mark").write_text("ESCAPED")
    print("ESCAPED")
except OSError as error:
    print("CONTAINED", error)
