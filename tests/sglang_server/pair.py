"""Two real SGLang servers on a CPU whose models have one vocabulary and write different text: SmolLM2, and a copy of it
with fewer layers. ``python -m tests.sglang_server.pair COMMAND …`` runs the command, with ``{small}`` and ``{large}``
in it replaced by their addresses, and stops both servers when it has ended."""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.sglang_server.server import prepare, running, truncated

LAYERS = 28


def main(command: Sequence[str]) -> int:
    if not command:
        sys.exit("usage: python -m tests.sglang_server.pair COMMAND …, with {small} and {large} for the addresses")
    # Ended by a signal, it stops its servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    large = prepare()
    small = truncated(large, LAYERS)
    with (
        tempfile.TemporaryDirectory() as logs,
        running(small, Path(logs) / "small.log", small.model.name) as first,
        running(large, Path(logs) / "large.log", large.model.name) as second,
    ):
        addressed = [part.replace("{small}", first.url).replace("{large}", second.url) for part in command]
        return subprocess.run(addressed, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
