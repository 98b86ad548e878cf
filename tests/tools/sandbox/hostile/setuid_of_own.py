import os
import shutil
import subprocess
import sys

# A program that made its own copy setuid must not gain by it: same uid, and the file system ignores the bit.
shutil.copy(sys.executable, "/tmp/copy")
os.chmod("/tmp/copy", 0o6777)
code = "import os; print(os.geteuid())"
result = subprocess.run(["/tmp/copy", "-I", "-S", "-c", code], capture_output=True, text=True)
print("ESCAPED" if result.stdout.strip() == "0" else "CONTAINED", result.stdout)
