"""``python -m workers.engines.scripted --port N --script FILE``: a scripted engine as a process of its own."""

import argparse
import asyncio
import sys
from pathlib import Path

from workers.engines.scripted.script import Script, read_script
from workers.engines.scripted.server import listen, serve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument(
        "--script", type=Path, help="a JSON file in the shape of workers.engines.scripted.script.Script"
    )
    options = parser.parse_args()
    script = read_script(options.script) if options.script else Script()
    listening = listen(options.port)
    sys.stdout.write(f"serving {script.name} on http://127.0.0.1:{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    asyncio.run(serve(script, listening))


if __name__ == "__main__":
    main()
