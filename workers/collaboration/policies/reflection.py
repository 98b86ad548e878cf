"""``reflection``: the large model takes over where the text turns to reflect or to verify.

Speculative Thinking (Yang et al., "Speculative Thinking: Enhancing Small-Model Reasoning with Large Model Guidance at
Inference Time", arXiv 2504.12329): after every blank line the next tokens are looked at, and where they reflect, the
large model writes them instead; it goes on where they verify, and looks for wrong steps once doubts have piled up. The
sentence that such a look begins with is put in as the large model's, though no engine decodes it.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from types import MappingProxyType

from pydantic import Field

from workers.collaboration.policy import Call, Desk, Keep, PolicyOptions, Proposal, Resources, Role
from workers.collaboration.prompts import render
from workers.collaboration.reflections import Course, Pace, Phase, sentiment

_REASONS: Mapping[Phase, str] = MappingProxyType(
    {"begin": "it begins the answer", "verify": "the text verifies", "recap": "doubts have piled up"}
)


class ReflectionOptions(PolicyOptions):
    """``span`` tokens after a blank line are looked at. With ``choose_large`` the large model's are taken wherever its
    turn has come, else only where their sentiment is not the small one's. A small model that does not reason by itself
    (``reasoning`` false, as in the default pair) is helped at every blank line and over the first ``begin_tokens``
    tokens. The large model goes on for ``verify_tokens`` where a span verifies. After ``recap_after`` doubtful spans it
    looks for wrong steps over ``recap_tokens``; then both grow by their ``_step`` up to their ``_most``."""

    reasoning: bool = False
    choose_large: bool = True
    span: int = Field(default=20, ge=1)
    begin_tokens: int = Field(default=100, ge=0)
    verify_tokens: int = Field(default=125, ge=0)
    recap_tokens: int = Field(default=125, ge=1)
    recap_tokens_step: int = Field(default=25, ge=0)
    recap_tokens_most: int = Field(default=200, ge=1)
    recap_after: int = Field(default=15, ge=1)
    recap_after_step: int = Field(default=5, ge=0)
    recap_after_most: int = Field(default=30, ge=1)


class Reflection:
    name = "reflection"
    level = "step"
    Options = ReflectionOptions
    reserve = 0

    def __init__(self, options: ReflectionOptions, resources: Resources) -> None:
        self._options = options

    async def write(self, desk: Desk) -> AsyncGenerator[Keep, None]:
        recap = await desk.spell("large", render("reflection_recap"))
        course = Course(self._pace(len(recap)))
        for written in desk.written:
            course.take(written.text)
        while True:
            match course.phase:
                case "free":
                    writing = self._freely(desk, course)
                case "span":
                    writing = self._span(desk, course, ())
                case "recap" if course.taken < len(recap):
                    writing = _insert(recap[course.taken :])
                case phase:
                    writing = self._follow(desk, "large", course, _REASONS[phase])
            async with aclosing(writing) as kept:
                async for keep in kept:
                    for proposal in keep.proposals:
                        course.take(proposal.text)
                    yield keep

    def _pace(self, recap_length: int) -> Pace:
        options = self._options
        return Pace(
            span=options.span,
            begin=0 if options.reasoning else options.begin_tokens,
            verify=options.verify_tokens,
            recap=options.recap_tokens,
            recap_step=options.recap_tokens_step,
            recap_most=options.recap_tokens_most,
            recap_after=options.recap_after,
            recap_after_step=options.recap_after_step,
            recap_after_most=options.recap_after_most,
            recap_length=recap_length,
        )

    async def _freely(self, desk: Desk, course: Course) -> AsyncGenerator[Keep, None]:
        """The small model, through as many blank lines as nothing happens at: one generation."""
        draft: list[Proposal] = []
        async with aclosing(desk.propose("small", self._call())) as proposals:
            async for proposal in proposals:
                if course.phase == "free":
                    yield Keep("small", (proposal,), "it writes freely")
                    if course.calls_large(drafting=self._drafts):
                        return
                    continue
                draft.append(proposal)
                if len(draft) < self._options.span and not proposal.ends:
                    continue
                if sentiment(_text(draft)) != 0 or not self._options.reasoning:
                    break
                yield Keep("small", draft, "it writes freely")
                draft = []
        if draft:
            async with aclosing(self._span(desk, course, draft)) as kept:
                async for keep in kept:
                    yield keep

    @property
    def _drafts(self) -> bool:
        """Whether it matters what the small model would write after a blank line."""
        return self._options.reasoning or not self._options.choose_large

    async def _span(self, desk: Desk, course: Course, draft: Sequence[Proposal]) -> AsyncGenerator[Keep, None]:
        """The tokens after a blank line; ``draft`` is what the small model would write there, if that is known."""
        if course.taken:
            # An earlier worker showed a part of this span: its author writes the rest.
            role = desk.author(desk.written[-1])
            async with aclosing(self._follow(desk, role, course, "it goes on with its words")) as kept:
                async for keep in kept:
                    yield keep
            return
        if not draft and self._drafts:
            draft = await self._collect(desk, "small")
        if draft and self._options.reasoning and sentiment(_text(draft)) == 0:
            yield Keep("small", draft, "it writes freely")
            return
        spoken = await self._collect(desk, "large")
        if self._options.choose_large or sentiment(_text(spoken)) != sentiment(_text(draft)):
            yield Keep("large", spoken, "the text reflects" if self._options.reasoning else "a paragraph begins")
        else:
            yield Keep("small", draft, "both models mean the same")

    async def _follow(self, desk: Desk, role: Role, course: Course, reason: str) -> AsyncGenerator[Keep, None]:
        async with aclosing(desk.propose(role, self._call(course.left))) as proposals:
            async for proposal in proposals:
                yield Keep(role, (proposal,), reason)

    async def _collect(self, desk: Desk, role: Role) -> Sequence[Proposal]:
        async with aclosing(desk.propose(role, self._call(self._options.span))) as proposals:
            return [proposal async for proposal in proposals]

    def _call(self, limit: int | None = None) -> Call:
        return Call(limit, self._options.top_logprobs)


async def _insert(proposals: Sequence[Proposal]) -> AsyncGenerator[Keep, None]:
    yield Keep("large", proposals, _REASONS["recap"])


def _text(proposals: Sequence[Proposal]) -> str:
    return "".join(proposal.text for proposal in proposals)
