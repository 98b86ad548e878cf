"""Trials behind the scenes, on questions of real runs."""

from collections.abc import Callable

from orchestrator.compose import Tandem
from orchestrator.model_park import ModelPark
from orchestrator.offers import Offers
from orchestrator.playbook.archived import DatabaseArchive
from orchestrator.playbook.entry import Entry, Topic
from orchestrator.playbook.learner import Learner, Told
from orchestrator.playbook.parts import PlaybookParts
from orchestrator.playbook.shadow import ShadowTrials
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings
from orchestrator.storage.records import Feedback, TaughtRun
from orchestrator.strategies import build_strategies
from tests.orchestrator.conftest import events_of
from tests.orchestrator.playbook.building import FRUITS
from tools.sandbox.bubblewrap import BubblewrapSandbox

Requests = Callable[..., RunRequest]


class Trials:
    """Runs of one owner, and trials on their questions."""

    def __init__(
        self,
        settings: Settings,
        tandem: Tandem,
        parts: PlaybookParts,
        park: ModelPark,
        request_for: Requests,
        owner: str,
    ) -> None:
        strategies = build_strategies(settings)
        parameters = {name: model.parameters for name, model in settings.models.items()}
        archive = DatabaseArchive(tandem.database)
        self.learner = Learner(parts, archive, settings.playbook.guard, parameters)
        offers, sandbox = Offers(settings, tuple(strategies)), BubblewrapSandbox()
        self.shadows = ShadowTrials(settings, parts, self.learner, park, offers, strategies, sandbox)
        self._tandem = tandem
        self._parts = parts
        self._request_for = request_for
        self._owner = owner

    async def asked(self, number: int, rating: int | None, **fields: object) -> tuple[TaughtRun, Told, Topic]:
        run = await self._tandem.runs.start(self._request_for(FRUITS.format(number, 6), **fields))
        await events_of(self._tandem, run, self._owner)
        if rating is not None:
            await self._tandem.database.save_feedback(run, self._owner, Feedback(rating=rating))
        return await self._learned(run)

    async def rated(self, run: TaughtRun, rating: int) -> tuple[TaughtRun, Told, Topic]:
        """A run of before, of which its owner says something else now."""
        await self._tandem.database.save_feedback(run.id, self._owner, Feedback(rating=rating))
        return await self._learned(run.id)

    async def _learned(self, run: str) -> tuple[TaughtRun, Told, Topic]:
        taught = await self._tandem.database.taught_run(run, self._owner)
        assert taught is not None
        told = self.learner.told(taught)
        assert told is not None
        learned = await self.learner.learn(told)
        topic = await self._parts.topics.get(self._owner, learned.topic)
        assert topic is not None
        return taught, told, topic

    async def entry(self, entry: Entry) -> Entry:
        return await self._parts.entries.get(self._owner, entry.id)
