"""``python -m bench.latency``."""

from bench.latency.command import main

main()
