"""A real Celery worker for programs, in a process of its own."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import processes


@contextmanager
def sandbox_worker(redis_url: str, log: Path) -> Iterator[int]:
    """Serve the queue while the block runs; yields the worker's process id."""
    command = [sys.executable, "-m", "celery", "-A", "workers.celery_app", "worker", "--queues", "sandbox"]
    command += ["--concurrency", "1", "--loglevel", "INFO"]

    def ready() -> bool:
        return log.exists() and "ready." in log.read_text()

    with processes.running(command, ready, log, environment={"REDIS_URL": redis_url}) as pid:
        yield pid
