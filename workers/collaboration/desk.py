"""The desk at which a policy works: asks the two engines, keeps them in step with the answer, counts every call."""

import hashlib
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from workers.collaboration.gate import Gate
from workers.collaboration.metered import metered
from workers.collaboration.page import Page
from workers.collaboration.policy import Call, Proposal, Role
from workers.collaboration.proposals import proposals
from workers.collaboration.protocol import CollaborationRequest, Written
from workers.collaboration.seat import Seat
from workers.engines.protocol import Finish, Generation, Sampling, Token
from workers.messages import Message

_SEEDS = 2**31


class LocalDesk:
    """Implements ``Desk`` over two engines."""

    def __init__(self, request: CollaborationRequest, seats: Mapping[Role, Seat], page: Page, gate: Gate) -> None:
        self._request = request
        self._seats = seats
        self._page = page
        self._gate = gate

    @property
    def messages(self) -> tuple[Message, ...]:
        return self._request.messages

    @property
    def seed(self) -> int:
        if self._request.sampling.seed is not None:
            return self._request.sampling.seed
        text = "\n".join(message.content for message in self._request.messages)
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])

    @property
    def written(self) -> Sequence[Written]:
        return self._page.written

    def author(self, written: Written) -> Role:
        return self._page.author(written)

    async def propose(self, role: Role, call: Call = Call()) -> AsyncGenerator[Proposal, None]:
        seat = self._seats[role]
        await seat.catch_up(self.written, self.author)
        limit = self._page.left if call.limit is None else min(call.limit, self._page.left)
        sampling = replace(self._request.sampling, max_tokens=limit, stop=(), seed=self._call_seed())
        events = self._generate(seat, seat.ids, sampling, call.top_logprobs)
        async with aclosing(events), aclosing(proposals(seat.engine, events, self._unfinished(seat))) as found:
            async for proposal in found:
                yield proposal

    async def judge(
        self, role: Role, draft: Sequence[Proposal], question: str, opening: str, top_logprobs: int
    ) -> Token | None:
        seat = self._seats[role]
        await seat.catch_up(self.written, self.author)
        tokens = [(proposal.token.id, proposal.text) for proposal in draft if not proposal.ends]
        read = await seat.as_read(tokens, "large" if role == "small" else "small")
        prompt = [*seat.ids, *read, *await seat.question(self.messages, question, opening)]
        events = self._generate(seat, prompt, Sampling(max_tokens=1), top_logprobs)
        # To its end, not only to the token: a generation that is over needs no abort.
        async with aclosing(events):
            answer = [event async for event in events if isinstance(event, Token)]
        return answer[0] if answer else None

    async def note(self, role: Role, messages: Sequence[Message], limit: int) -> str:
        seat = self._seats[role]
        events = self._generate(seat, await seat.tokens_of(messages), Sampling(max_tokens=limit), 0)
        async with aclosing(events):
            return "".join([event.text async for event in events if isinstance(event, Token)])

    async def brief(self, role: Role, messages: Sequence[Message]) -> None:
        await self._seats[role].read_prompt(messages, self._request.prefill)

    async def spell(self, role: Role, text: str) -> Sequence[Proposal]:
        engine = self._seats[role].engine
        found: list[Proposal] = []
        ids = await engine.tokenize(text)
        spelt = 0
        for end in range(1, len(ids) + 1):
            whole = text if end == len(ids) else await engine.detokenize(ids[:end])
            # A character that is not complete yet is spelt with its last token.
            new = "" if whole.endswith("\N{REPLACEMENT CHARACTER}") else whole[spelt:]
            spelt += len(new)
            found.append(Proposal(Token(ids[end - 1], new), new))
        return found

    async def _generate(
        self, seat: Seat, prompt: Sequence[int], sampling: Sampling, top_logprobs: int
    ) -> AsyncGenerator[Token | Finish, None]:
        generation = Generation(tuple(prompt), sampling, uuid.uuid4().hex, top_logprobs, spelled=True)
        async with (
            self._gate.hold(seat.model),
            aclosing(metered(seat.engine, generation, seat.model, self._request.meter)) as events,
        ):
            async for event in events:
                yield event

    def _call_seed(self) -> int | None:
        """Another seed at every position: calls with one seed would draw the same numbers again and again."""
        seed = self._request.sampling.seed
        return None if seed is None else (seed + len(self.written)) % _SEEDS

    def _unfinished(self, seat: Seat) -> Sequence[int]:
        """The ids at the end of the answer that make no whole character yet, as far as ``seat`` knows their meaning."""
        ids: list[int] = []
        for written in reversed(self.written):
            if written.text or not seat.reads(self.author(written)):
                break
            ids.insert(0, written.id)
        return ids
