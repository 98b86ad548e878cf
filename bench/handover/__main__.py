"""``python -m bench.handover``."""

from bench.handover.command import main

main()
