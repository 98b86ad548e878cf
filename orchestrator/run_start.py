"""The record of a run under way, so that lists of runs show it too."""

import asyncio

import structlog
from sqlalchemy.exc import SQLAlchemyError

from orchestrator.runs import RunRecord
from orchestrator.storage.database import Database

# A run's first words come before its record: writing that costs as much as everything else the gateway does for them.
_DELAY_SECONDS = 0.1
_log = structlog.get_logger(__name__)


class StartRecord:
    """Stores a run as running, a moment after its start and unless it has ended by then."""

    def __init__(self, database: Database, record: RunRecord) -> None:
        self._database = database
        self._record = record
        self._saving: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_DELAY_SECONDS, self._begin)

    async def settled(self) -> None:
        """Wait until nothing more will be written here: what is stored afterwards stays."""
        self._timer.cancel()
        if self._saving is not None:
            await asyncio.shield(self._saving)

    def _begin(self) -> None:
        self._saving = asyncio.create_task(self._save())

    async def _save(self) -> None:
        try:
            await self._database.save_run(self._record)
        except SQLAlchemyError as error:
            # The run's end is stored as well, and fails the run if that cannot be.
            _log.warning("a run is not listed while it is under way", run=self._record.id, error=str(error))
