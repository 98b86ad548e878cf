"""Steps 2 to 4 of the pipeline: at every mismatch the large model goes on from both tokens, and a judge compares."""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence

from workers.divergence.alternatives import ends_sentence, first_sentence, plain_verdict
from workers.divergence.generation import greedy
from workers.divergence.journal import Journal
from workers.divergence.prompts import render
from workers.divergence.records import Ground, Label, TrainingAnswer
from workers.engines.protocol import Engine
from workers.engines.torch_engine import Reading

JUDGED_DIVERGENT = 0.43
"""A judge of 1.5 billion parameters hesitates: on pairs marked by hand all that mean the same were below this
probability and all others above it."""

_SENTENCE_TOKENS = 48
_JUDGE_TOP = 20
_FINAL = "\\boxed{"


class Labeller:
    """``large`` continues and judges."""

    def __init__(self, large: Engine, journal: Journal[Label]) -> None:
        self._large = large
        self._journal = journal
        self._done = {(label.question, label.position): label for label in journal.read()}

    async def label_all(
        self,
        answers: Sequence[TrainingAnswer],
        readings: Mapping[str, Reading],
        wanted: int,
        progress: Callable[[int], None],
    ) -> list[Label]:
        """Labels of the mismatches in ``answers``, answer by answer, until there are ``wanted``; a last answer is not
        left half labelled. Labels of other answers to these questions do not count. ``progress`` hears how many there
        are."""
        kept = fitting(list(self._done.values()), answers)
        self._done = {(label.question, label.position): label for label in kept}
        slots = (await self._large.describe()).slots
        waiting = iter(answers)

        async def work() -> None:
            for answer in waiting:
                if len(self._done) >= wanted:
                    return
                for position in mismatches(answer, readings[answer.question]):
                    if (answer.question, position) not in self._done:
                        await self._label(answer, position, int(readings[answer.question].ids[position, 0]))
                    progress(len(self._done))

        async with asyncio.TaskGroup() as group:
            # Half of the slots keep the answers' prefixes, the others the judge's.
            for _ in range(max(1, slots // 2)):
                group.create_task(work())
        return list(self._done.values())

    async def _label(self, answer: TrainingAnswer, position: int, small: int) -> None:
        if answer.ids[-1] in (small, answer.ids[position]):
            label = await self._ending(answer, position, small)
        else:
            label = await self._compared(answer, position, small)
        self._journal.append(label)
        self._done[(answer.question, position)] = label

    async def _ending(self, answer: TrainingAnswer, position: int, small: int) -> Label:
        """One of the two would end its turn: that matters while the final answer has not been given."""
        so_far = await self._large.detokenize(answer.ids[:position])
        return _label(answer, position, small, ("", ""), _FINAL not in so_far, "end", None)

    async def _compared(self, answer: TrainingAnswer, position: int, small: int) -> Label:
        theirs = await self._sentence_of(answer, position)
        ours = await self._sentence_after([*answer.prompt, *answer.ids[:position]], small)
        plain = plain_verdict(ours, theirs)
        if plain is not None:
            return _label(answer, position, small, (ours, theirs), *plain, None)
        probability = await self._judge(ours, theirs)
        return _label(answer, position, small, (ours, theirs), probability >= JUDGED_DIVERGENT, "judge", probability)

    async def _sentence_of(self, answer: TrainingAnswer, position: int) -> str:
        """The answer itself is the large model's greedy continuation of its own token."""
        ids = answer.ids[position : position + _SENTENCE_TOKENS]
        text = await self._large.detokenize(ids)
        return first_sentence(text)

    async def _sentence_after(self, prefix: Sequence[int], small: int) -> str:
        start = await self._large.detokenize([small])
        if ends_sentence(start):
            return first_sentence(start)
        tokens, _ = await greedy(
            self._large, [*prefix, small], _SENTENCE_TOKENS - 1, enough=lambda text: ends_sentence(start + text)
        )
        return first_sentence(start + "".join(token.text for token in tokens))

    async def _judge(self, ours: str, theirs: str) -> float:
        """The large model's probability that the two ways to go on mean different things."""
        # Instruction and examples come first: the prefix cache holds them, and only the case itself is read.
        text = render("judge", first=_line(theirs), second=_line(ours))
        prompt = await self._large.tokenize(await self._large.render([{"role": "user", "content": text}]))
        tokens, _ = await greedy(self._large, prompt, 1, top_logprobs=_JUDGE_TOP)
        found = {token: math.exp(logprob) for token, logprob in tokens[0].top} if tokens else {}
        different, same = [found.get((await self._large.tokenize(word))[0], 0.0) for word in ("different", "same")]
        # A judge that says neither has not said that they are the same.
        return different / (different + same) if different + same else 1.0


def fitting(labels: Sequence[Label], answers: Sequence[TrainingAnswer]) -> list[Label]:
    """Those of ``labels`` whose answer is among ``answers`` and has the label's token where the label says."""
    ids = {answer.question: answer.ids for answer in answers}
    return [
        label for label in labels if label.large in ids.get(label.question, ())[label.position : label.position + 1]
    ]


def _line(text: str) -> str:
    return " ".join(text.split())


def _label(
    answer: TrainingAnswer,
    position: int,
    small: int,
    texts: tuple[str, str],
    divergent: bool,
    ground: Ground,
    probability: float | None,
) -> Label:
    return Label(
        question=answer.question,
        position=position,
        small=small,
        large=answer.ids[position],
        small_text=texts[0],
        large_text=texts[1],
        divergent=divergent,
        ground=ground,
        probability=probability,
    )


def mismatches(answer: TrainingAnswer, reading: Reading) -> list[int]:
    """Positions in the answer at which the small model's most probable token is another one."""
    return [position for position, token in enumerate(answer.ids) if int(reading.ids[position, 0]) != token]
