"""What commands print stands as it is: names, paths and messages may look like markup, and are none."""

from rich.console import Console


def plain_console(stderr: bool = False) -> Console:
    """A console that reads no markup and paints nothing of its own accord."""
    return Console(stderr=stderr, markup=False, highlight=False)


def print_error(error: Exception) -> None:
    """Say on standard error, in red, what went wrong."""
    plain_console(stderr=True).print(str(error), style="red", soft_wrap=True)
