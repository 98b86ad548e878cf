"""A ``tandem serve`` of a test's own."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from tests import processes


class Serving:
    """Starts the stack with both models on ``engine_url``, and with ``environment`` on top of this one; what it prints
    goes to a file."""

    def __init__(self, folder: Path, engine_url: str, gateway_port: int = 0, **environment: str) -> None:
        self._log = folder / "said"
        self.port = gateway_port or processes.free_port()
        self.redis_port = processes.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {
            **{name: value for name, value in os.environ.items() if name != "REDIS_URL"},
            "TANDEM__STORAGE__DIRECTORY": str(folder / "data"),
            "TANDEM__GATEWAY__PORT": str(self.port),
            "TANDEM__REDIS__PORT": str(self.redis_port),
            "TANDEM__MODELS__SMALL__ENGINE__URL": engine_url,
            "TANDEM__MODELS__LARGE__ENGINE__URL": engine_url,
            "COLUMNS": "400",
            **environment,
        }

    def __enter__(self) -> "Serving":
        tandem = Path(sys.executable).with_name("tandem")
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(tandem), "serve"], stdout=output, stderr=subprocess.STDOUT, env=self._environment
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while "is ready at" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def children(self) -> list[int]:
        """Every process below this one."""
        found, parents = [], {self.process.pid}
        while parents:
            below = {pid for parent in parents for pid in _children_of(parent)}
            found += sorted(below)
            parents = below
        return found

    def command_of(self, pid: int) -> str:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()

    def alive(self, pids: list[int]) -> list[int]:
        """Those that still run; a zombie that nobody has waited for yet does not."""
        return [pid for pid in pids if _state(pid) not in ("", "Z")]


def _children_of(pid: int) -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*"):
        found |= {int(child) for child in (task / "children").read_text().split()}
    return found


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
