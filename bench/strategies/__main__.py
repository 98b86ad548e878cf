"""``python -m bench.strategies``."""

from bench.strategies.command import main

main()
