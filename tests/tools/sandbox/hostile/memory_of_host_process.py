opened = []
for pid in (int("@TEST_PID@"), int("@VICTIM_PID@")):
    for name in ("mem", "maps", "environ"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                file.read(1)
            opened.append((pid, name))
        except OSError:
            pass
print("ESCAPED" if opened else "CONTAINED", opened)
