"""The loop: two engines in reach of this process write one answer, as a policy decides."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from types import MappingProxyType

from workers.collaboration.desk import LocalDesk
from workers.collaboration.gate import Gate, OpenGate
from workers.collaboration.head import Head
from workers.collaboration.page import Page
from workers.collaboration.policies import build_policy, policy_kind, policy_names
from workers.collaboration.policy import Policy, Resources, Role
from workers.collaboration.protocol import CollaborationEvent, CollaborationFinish, CollaborationRequest, Written
from workers.collaboration.seat import Seat
from workers.collaboration.vocabularies import same_vocabulary, vocabularies_differ
from workers.engines.errors import EngineRefused, UnfitRequest
from workers.engines.protocol import Engine
from workers.models.engine_chat import PromptTooLong

Heads = Mapping[tuple[str, str], Head]
"""Trained heads by the names of the small and the large model."""


class LocalCollaboration:
    """Implements ``Collaboration`` over ``engines`` by model name. ``gate`` is asked before every call of one."""

    def __init__(
        self, engines: Mapping[str, Engine], gate: Gate = OpenGate(), heads: Heads = MappingProxyType({})
    ) -> None:
        self._engines = engines
        self._gate = gate
        self._heads = heads
        self._shared: dict[tuple[str, str], bool] = {}

    def write(self, request: CollaborationRequest) -> AsyncGenerator[CollaborationEvent, None]:
        return self.resume(request, ())

    async def resume(
        self, request: CollaborationRequest, written: Sequence[Written]
    ) -> AsyncGenerator[CollaborationEvent, None]:
        """As ``write``, going on from the tokens that are written already: only what follows them is yielded.

        The finish and ``request.meter`` count what this call took, not what was taken for ``written``.
        """
        policy = build_policy(request.policy, request.options, self._resources(request))
        if request.sampling.json_schema is not None:
            raise UnfitRequest(
                "two models cannot follow a JSON schema together: its grammar would begin anew at every hand-over; "
                "ask one model, or leave response_format out"
            )
        seats = await self._seats(request, policy)
        page = Page(request, await _room(request, seats, policy), written)
        desk = LocalDesk(request, seats, page, self._gate)
        async with aclosing(policy.write(desk)) as kept:
            while page.finished is None:
                keep = await anext(kept, None)
                if keep is None:
                    raise RuntimeError(f"policy {policy.name!r} stopped before the answer had ended")
                for event in page.put(keep):
                    yield event
        yield CollaborationFinish(page.finished, dict(request.meter.usage), dict(request.meter.calls))

    def _resources(self, request: CollaborationRequest) -> Resources:
        return Resources(head=self._heads.get((request.small, request.large)))

    async def _seats(self, request: CollaborationRequest, policy: Policy) -> Mapping[Role, Seat]:
        small, large = self._engine(request.small), self._engine(request.large)
        shared = await self._same(small, large, (request.small, request.large))
        if policy.level == "token" and not shared:
            others = ", ".join(name for name in policy_names() if policy_kind(name).level == "step")
            raise vocabularies_differ(policy.name, request.small, request.large, others)
        seats: Mapping[Role, Seat] = {
            "small": Seat("small", request.small, small, shared),
            "large": Seat("large", request.large, large, shared),
        }
        for seat in seats.values():
            await seat.read_prompt(request.messages, request.prefill)
        return seats

    def _engine(self, model: str) -> Engine:
        if model not in self._engines:
            known = ", ".join(sorted(self._engines)) or "none"
            raise EngineRefused(
                f"model {model!r} has no engine that takes token ids, so it cannot write together with another one; "
                f"models that can: {known}"
            )
        return self._engines[model]

    async def _same(self, small: Engine, large: Engine, names: tuple[str, str]) -> bool:
        if names not in self._shared:
            self._shared[names] = await same_vocabulary(small, large)
        return self._shared[names]


async def _room(request: CollaborationRequest, seats: Mapping[Role, Seat], policy: Policy) -> int:
    """How many tokens the answer may have in both contexts. Raises ``PromptTooLong``."""
    room = request.sampling.max_tokens
    for seat in seats.values():
        context = (await seat.engine.describe()).context
        left = context - len(seat.ids) - policy.reserve
        if left < 1:
            raise PromptTooLong(seat.model, len(seat.ids) + policy.reserve, context)
        room = min(room, left)
    return room
