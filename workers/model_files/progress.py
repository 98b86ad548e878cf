"""Progress of a fetch: a bar in a terminal, a line every ten per cent elsewhere."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

_STEP = 10


class BarProgress:
    """A live bar with bytes done and total, speed and time left."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def start(self, title: str, total: int) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._task = self._bar.add_task(title, total=total)
        self._bar.start()

    def at(self, done: int) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done)

    def note(self, text: str) -> None:
        self._console.print(text, style="yellow", markup=False)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class LineProgress:
    """For logs: one line at the start and one whenever another tenth has arrived."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._title, self._total, self._next = "", 0, 0

    def start(self, title: str, total: int) -> None:
        self._title, self._total, self._next = title, total, 0

    def at(self, done: int) -> None:
        percent = 100 * done // self._total if self._total else 100
        if percent >= self._next:
            self._next = (percent // _STEP + 1) * _STEP
            self._console.print(
                f"{self._title}: {percent} % ({done / 1e6:.0f} of {self._total / 1e6:.0f} MB)", markup=False
            )

    def note(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Nothing is held."""


def progress_on(console: Console) -> BarProgress | LineProgress:
    """What suits the console: a bar only where it can be redrawn."""
    return BarProgress(console) if console.is_terminal else LineProgress(console)
