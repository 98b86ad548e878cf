"""A real Celery worker for collaborative answers, in a process of its own."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests import processes


@contextmanager
def collaborate_worker(redis_url: str, log: Path, concurrency: int = 8, include: Sequence[str] = ()) -> Iterator[int]:
    """Serve the queue while the block runs; yields the worker's process id. ``include``: modules that it loads besides
    its own."""
    command = [sys.executable, "-m", "celery", "-A", "workers.celery_app", "worker", "--queues", "collaborate"]
    command += ["--pool", "threads", "--concurrency", str(concurrency), "--loglevel", "INFO", "--without-gossip"]
    command += [f"--include={','.join(include)}"] if include else []

    def ready() -> bool:
        return log.exists() and "ready." in log.read_text()

    with processes.running(command, ready, log, environment={"REDIS_URL": redis_url}) as pid:
        yield pid
