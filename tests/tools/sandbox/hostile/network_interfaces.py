import contextlib
import socket
from pathlib import Path

names = []
with contextlib.suppress(OSError):
    names = [name for _, name in socket.if_nameindex()]
lines = Path("/proc/net/dev").read_text().splitlines()[2:]
others = {line.split(":")[0].strip() for line in lines} | set(names)
print("ESCAPED" if others - {"lo"} else "CONTAINED", others)
