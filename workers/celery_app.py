"""The Celery app: what waits outside the request. ``celery -A workers.celery_app worker`` finds ``app``."""

import os
from collections.abc import Sequence
from functools import cache

from celery import Celery

QUEUES = ("collaborate", "sandbox", "learn")
_TASK_MODULES = ("tools.sandbox.tasks", "workers.collaboration.tasks", "orchestrator.playbook.tasks")
_DEFAULT_URL = "redis://127.0.0.1:6399/0"
# Redelivery is the last resort for a lost worker; nothing that a worker does takes longer than this.
_VISIBILITY_SECONDS = 3600


def create_app(redis_url: str, task_modules: Sequence[str] = _TASK_MODULES) -> Celery:
    """An app on that Redis. It connects when it is used, not here."""
    app = Celery("tandem", broker=redis_url, include=list(task_modules))
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_default_queue="learn",
        task_routes={"sandbox.*": {"queue": "sandbox"}, "collaborate.*": {"queue": "collaborate"}},
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"visibility_timeout": _VISIBILITY_SECONDS},
    )
    return app


@cache
def _app() -> Celery:
    return create_app(os.environ.get("REDIS_URL") or _DEFAULT_URL)


def __getattr__(name: str) -> Celery:
    """``app`` for Celery's command line, made when it is asked for: importing this module builds nothing."""
    if name == "app":
        return _app()
    raise AttributeError(name)
