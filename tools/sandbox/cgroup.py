"""A control group for one run, on machines that let us make one: it bounds processes and memory of a whole tree."""

import os
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")
# rlimits bound each process; bubblewrap and the launcher need a few processes and some memory beside the program's
_OVERHEAD_PROCESSES = 4
_OVERHEAD_BYTES = 32 * 1024**2


@dataclass(frozen=True)
class ControlGroup:
    """``folders`` exist until `remove`; empty where the machine lets us make none. ``bounds_memory`` tells whether
    the sum of the memory of all processes is held by the kernel."""

    folders: tuple[Path, ...] = ()
    bounds_memory: bool = False

    @classmethod
    def create(cls, processes: int, memory_bytes: int) -> "ControlGroup":
        """Never raises: a group that can not be made is left out. One that lacks a controller is left out too."""
        name = f"tandem-sandbox-{uuid.uuid4().hex}"
        memory = str(memory_bytes + _OVERHEAD_BYTES)
        values = {
            "pids": {"pids.max": str(processes + _OVERHEAD_PROCESSES)},
            "memory": {
                "memory.max": memory,
                "memory.swap.max": "0",
                "memory.limit_in_bytes": memory,
            },
        }
        folders: list[Path] = []
        bounded: set[str] = set()
        for controllers, parent in _own_groups():
            folder = parent / name
            wanted = [c for c in ("pids", "memory") if (not controllers or c in controllers) and c not in bounded]
            if not wanted:
                continue
            if not (parent / "cgroup.procs").exists():
                continue  # not a group: on hybrid machines version 2 is mounted elsewhere
            try:
                folder.mkdir()
            except OSError:
                continue  # not root, or read-only, as in most containers
            done = {c for c in wanted if _set(folder, values[c])}
            if done:
                folders.append(folder)
                bounded |= done
            else:
                _remove(folder)
        return cls(tuple(folders), "memory" in bounded)

    def entrances(self) -> list[str]:
        """Files that a process writes ``0`` to in order to join."""
        return [str(folder / "cgroup.procs") for folder in self.folders]

    def out_of_memory(self) -> bool:
        """Whether the kernel killed a process of the group because its memory was used up."""
        for folder in self.folders:
            for name in ("memory.events", "memory.oom_control"):
                with suppress(OSError):
                    fields = dict(line.split(" ", 1) for line in (folder / name).read_text().splitlines())
                    if int(fields.get("oom_kill", "0")) > 0:
                        return True
        return False

    def kill(self) -> None:
        """Kill what is left inside. Version 1 groups have no such switch; there the pid namespace does it."""
        for folder in self.folders:
            with suppress(OSError):
                (folder / "cgroup.kill").write_text("1")

    def remove(self) -> bool:
        """Remove the group; False while a process is still in it."""
        left = [folder for folder in self.folders if not _remove(folder)]
        return not left


def _own_groups() -> list[tuple[set[str], Path]]:
    """The groups this process is in: their controllers (empty: version 2, all of them) and their folders."""
    found: list[tuple[set[str], Path]] = []
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if number == "0":
                found.append((set(), _MOUNT / path.lstrip("/")))
            elif controllers in ("pids", "memory"):
                found.append(({controllers}, _MOUNT / controllers / path.lstrip("/")))
    return found


def _set(folder: Path, values: dict[str, str]) -> bool:
    """Write each value whose file is there; False where none is or the kernel refuses."""
    files = {folder / name: value for name, value in values.items() if (folder / name).exists()}
    try:
        for file, value in files.items():
            file.write_text(value)
    except OSError:
        return False
    return bool(files)


def _remove(folder: Path) -> bool:
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
