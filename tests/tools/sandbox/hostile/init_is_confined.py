from pathlib import Path

fields = {}
for line in Path("/proc/1/status").read_text().splitlines():
    name, _, value = line.partition(":")
    fields[name] = value.strip()
# Whoever takes over the sandbox's init gains nothing: the same filter, no capabilities, not root.
confined = fields["Seccomp"] == "2" and int(fields["CapEff"], 16) == 0 and "0" not in fields["Uid"].split()
print("CONTAINED" if confined and fields["NoNewPrivs"] == "1" else "ESCAPED", fields["Seccomp"], fields["CapEff"])
