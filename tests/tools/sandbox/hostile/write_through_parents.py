from pathlib import Path

try:
    Path("../../../../../../@WRITABLE_FOLDER@/mark").write_text("ESCAPED")
    print("ESCAPED")
except OSError as error:
    print("CONTAINED", error)
