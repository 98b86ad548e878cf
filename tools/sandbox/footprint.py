"""The memory of a tree of processes, for machines without a memory control group."""

import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(root: int) -> int:
    """Bytes of memory that process ``root`` and all its descendants hold, pages they share counted once."""
    tree = descendants(root)
    total = sum(_resident(pid) for pid in tree)
    return total if len(tree) <= 3 else sum(_proportional(pid) for pid in tree)


def descendants(root: int) -> list[int]:
    """``root`` and the processes below it, as the host numbers them."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            # a process may end while we look
            with suppress(OSError, ValueError, IndexError):
                # the name in parentheses may hold anything, spaces and parentheses too
                parent = int(Path(f"/proc/{entry}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
                children[parent].append(int(entry))
    tree = [root]
    for pid in tree:
        tree.extend(children[pid])
    return tree


def _resident(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


def _proportional(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return _resident(pid)
