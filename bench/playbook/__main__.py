"""``python -m bench.playbook``."""

from bench.playbook.command import main

main()
