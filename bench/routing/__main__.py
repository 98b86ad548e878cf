"""``python -m bench.routing``."""

from bench.routing.command import main

main()
