"""Die with the parent: a child of the local stack must not outlive it, not even if the parent is killed outright.

Run as a script it binds any command: ``python parent_death.py PARENT SIGNAL COMMAND…``.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int | None = None, with_signal: int = signal.SIGKILL) -> None:
    """Ask Linux to send ``with_signal`` to this process when the thread that started it ends.

    ``parent`` is the expected parent's process id: if that one is gone already, this process ends at once. Does
    nothing where there is no such call. The setting survives ``exec`` but not ``fork``.
    """
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if parent is not None and os.getppid() != parent:
        raise SystemExit(f"parent process {parent} has ended already")


def bound(command: tuple[str, ...], with_signal: signal.Signals = signal.SIGKILL) -> tuple[str, ...]:
    """``command`` as a child of this process that ends when this process does."""
    # Isolated and without site: this file needs neither, and it runs before every child.
    return (sys.executable, "-I", "-S", __file__, str(os.getpid()), str(int(with_signal)), *command)


def main(arguments: list[str]) -> None:
    parent, number, *command = arguments
    die_with_parent(int(parent), int(number))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
