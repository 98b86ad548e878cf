"""``python -m bench.playbook_recall``."""

from bench.playbook_recall.command import main

main()
