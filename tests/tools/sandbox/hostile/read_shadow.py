from pathlib import Path

try:
    print("ESCAPED", Path("/etc/shadow").read_text())
except OSError as error:
    print("CONTAINED", error)
