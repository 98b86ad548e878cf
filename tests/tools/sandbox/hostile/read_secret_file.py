from pathlib import Path

try:
    print("ESCAPED", Path("@SECRET_FILE@").read_text())
except OSError as error:
    print("CONTAINED", error)
