"""Two real SGLang servers on a CPU whose models have one vocabulary and write different text: SmolLM2, and a copy of it
with fewer layers. ``python -m tests.sglang_server.pair COMMAND …`` runs the command, with ``{small}`` and ``{large}``
in it replaced by their addresses, and stops both servers when it has ended."""

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
    installation = prepare()
    with (
        tempfile.TemporaryDirectory() as logs,
        running(truncated(installation, LAYERS), Path(logs) / "small.log") as small,
        running(installation, Path(logs) / "large.log") as large,
    ):
        addressed = [part.replace("{small}", small.url).replace("{large}", large.url) for part in command]
        return subprocess.run(addressed, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
