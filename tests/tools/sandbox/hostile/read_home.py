import os

seen = []
for home in ("@HOME@", "/root", "/home"):
    # only the way to the interpreter may be there, or the sandbox's own home
    for folder, _, files in os.walk(home):
        if not folder.startswith(("@PREFIX@", "@PACKAGES@", "/home/sandbox")):
            seen += files
print("ESCAPED" if seen else "CONTAINED", seen)
