from pathlib import Path

try:
    print("ESCAPED", Path("@PROJECT@/pyproject.toml").read_text())
except OSError as error:
    print("CONTAINED", error)
