"""``python -m bench.collaboration``."""

import typer

from bench.collaboration.command import main

typer.run(main)
