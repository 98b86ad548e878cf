"""``self-consistency``, ``short-m``, ``confidence`` and ``parallel``: samples vote, and losers stop on the engine."""

import asyncio
import json
import re
import urllib.request
from typing import get_args

import pytest

from agents.certainty import Measure, confidence
from agents.confidence import Confidence, ConfidenceOptions, weights_of
from agents.events import ContentDelta, Event, StepFinished, Verdict
from agents.parallel import Parallel, ParallelOptions
from agents.problem import Answer, Problem
from agents.sampling import Sample
from agents.self_consistency import SelfConsistency, SelfConsistencyOptions
from agents.short_m import ShortM, ShortOptions
from agents.strategy import SolveContext, Strategy
from tests.agents.conftest import ContextFor, asked
from tools.sandbox.bubblewrap import BubblewrapSandbox
from tools.sandbox.protocol import Limits
from workers.engines.errors import EngineUnavailable
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import Sampling, Token
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.ledger import Budget, BudgetSpent, Ledger
from workers.messages import Message
from workers.models.engine_chat import EngineChat
from workers.models.protocol import ModelCard

_QUESTION = asked("What is 6 * 7?")


def _texts(*answers: object) -> tuple[str, ...]:
    return tuple(f"So \\boxed{{{answer}}}" for answer in answers)


async def test_sampling_stops_as_soon_as_the_leader_cannot_reasonably_lose(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(default=say("So \\boxed{42}"))
    answer = await SelfConsistency().solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.votes, answer.evidence.agreement) == ("42", 4, 1.0)
    assert scripted.stats.requests == 4
    verdicts = [event for event in seen if isinstance(event, Verdict)]
    assert [(v.verifier, v.accepted, v.reason) for v in verdicts] == [("agreement", True, "votes of 4 samples: 42: 4")]


async def test_dissent_costs_more_samples_and_the_majority_wins(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(default=Reply(texts=_texts(41, 42, 42, 40, 42, 42, 39, 42)))
    answer = await SelfConsistency().solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.votes) == ("42", 8)
    assert answer.evidence.agreement == 5 / 8


async def test_programs_vote_by_what_they_print(scripted: ScriptedServer, context_for: ContextFor) -> None:
    texts = tuple(f"```python\nprint({n})\n```" for n in (42, 42, 7))
    scripted.script = Script(default=Reply(texts=texts))
    options = SelfConsistencyOptions(n=3, format="program", certainty=2.0, at_once=1)
    answer = await SelfConsistency(options).solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.program_ran, answer.evidence.agreement) == ("42", True, 2 / 3)


async def test_a_spent_budget_keeps_the_votes_that_were_cast(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(default=Reply(texts=_texts(41, 42, 42, 40)))
    answer = await SelfConsistency().solve(_QUESTION, context_for(Budget(calls=3)))
    assert (answer.value, answer.evidence.votes) == ("42", 3)


@pytest.mark.parametrize("strategy", [SelfConsistency(), ShortM(), Confidence(), Parallel()], ids=lambda s: s.name)
async def test_a_spent_ledger_starts_nothing(
    strategy: Strategy, scripted: ScriptedServer, context_for: ContextFor
) -> None:
    with pytest.raises(BudgetSpent):
        await strategy.solve(_QUESTION, context_for(Budget(calls=0)))
    assert scripted.stats.requests == 0


@pytest.mark.parametrize("strategy", [SelfConsistency(), ShortM(), Confidence(), Parallel()], ids=lambda s: s.name)
async def test_free_text_is_answered_at_once(
    strategy: Strategy, scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(default=say("A poem."))
    problem = Problem(messages=(Message(role="user", content="Write a poem."),))
    answer = await strategy.solve(problem, context_for())
    assert (answer.text, answer.streamed) == ("A poem.", True)
    assert "".join(event.text for event in seen if isinstance(event, ContentDelta)) == "A poem."
    assert scripted.stats.requests == 1


_SHORT = "So \\boxed{42}"
_LONG = "I am not sure. " * 100 + "So \\boxed{41}"


async def test_of_several_samples_the_first_to_finish_vote_and_the_engine_stops_the_others(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(default=Reply(texts=(_LONG, _SHORT, _LONG, _SHORT, _SHORT), delay=0.01))
    answer = await ShortM().solve(_QUESTION, context_for())
    at_the_verdict = scripted.stats.tokens
    assert (answer.value, answer.evidence.votes, answer.evidence.agreement) == ("42", 3, 1.0)
    await _settled(scripted)
    assert scripted.stats.aborted == 2
    assert scripted.stats.tokens <= at_the_verdict * 1.05, "the losers write on after the vote"
    # Twice what the winners wrote is generous to losers that were a little ahead.
    assert scripted.stats.tokens < 2 * 5 * len(_SHORT)
    lost = [event for event in seen if isinstance(event, StepFinished) and event.cancelled]
    assert len(lost) == 2
    assert all(_LONG.startswith(event.text) for event in lost)


async def test_what_losers_wrote_is_charged(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(default=Reply(texts=(_LONG, _SHORT, _SHORT, _SHORT, _SHORT), delay=0.01))
    ledger = Ledger(Budget())
    await ShortM().solve(_QUESTION, context_for(ledger=ledger))
    await _settled(scripted)
    charged = ledger.summary().tokens["only"]
    assert ledger.summary().calls == 5
    # What was on its way when the connection was closed was written, but never read.
    assert scripted.stats.tokens * 0.9 <= charged.completion <= scripted.stats.tokens


async def test_cut_and_empty_answers_are_no_short_answers(scripted: ScriptedServer, context_for: ContextFor) -> None:
    texts = ("no idea", "no idea", "no idea", "So it must be \\boxed{42}", "no idea")
    scripted.script = Script(default=Reply(texts=texts))
    answer = await ShortM(ShortOptions(m=1)).solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.votes) == ("42", 1)


async def test_a_cancelled_solve_stops_every_sample_on_the_engine(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(default=Reply(texts=(_LONG,), delay=0.01))
    solving = asyncio.create_task(ShortM().solve(_QUESTION, context_for()))
    while scripted.stats.tokens < 5:
        await asyncio.sleep(0.01)
    solving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await solving
    await _settled(scripted)
    assert scripted.stats.aborted == 5


async def test_a_fault_of_one_sample_is_raised_and_stops_the_others(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(default=Reply(texts=(_LONG,), delay=0.01, failure="disconnect", failure_after=20))
    with pytest.raises(EngineUnavailable):
        await ShortM().solve(_QUESTION, context_for())
    await _settled(scripted)


async def _settled(scripted: ScriptedServer) -> None:
    """Wait until the engine has noticed that nobody listens any more."""
    async with asyncio.timeout(20):
        while scripted.stats.running:
            await asyncio.sleep(0.02)


# Tokens of the scripted engine are the more confident, the lower their log-probability.
_SURE_AT_FIRST = (*[-100.0] * len(_SHORT), *[-0.1] * 2000)


async def test_a_confident_vote_outweighs_two_doubtful_ones(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    doubtful = "Maybe, or maybe not. So \\boxed{41}"
    scripted.script = Script(default=Reply(texts=(doubtful, _SHORT, doubtful), logprobs=_SURE_AT_FIRST))
    options = ConfidenceOptions(n=3, warmup=3, window=4)
    answer = await Confidence(options).solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.agreement) == ("42", 1 / 3)
    assert [event.verifier for event in seen if isinstance(event, Verdict)] == ["confidence"]


async def test_a_sample_that_falls_below_the_warm_up_is_stopped_and_does_not_vote(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    texts = (_SHORT, _SHORT, _LONG, _LONG)
    scripted.script = Script(default=Reply(texts=texts, logprobs=_SURE_AT_FIRST, delay=0.005))
    options = ConfidenceOptions(n=4, warmup=2, window=4)
    answer = await Confidence(options).solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.votes) == ("42", 2)
    await _settled(scripted)
    assert scripted.stats.aborted == 2
    assert scripted.stats.tokens < 8 * len(_SHORT)
    assert sum(isinstance(event, StepFinished) and event.cancelled for event in seen) == 2


async def test_without_alternatives_confidence_is_a_plain_vote(
    scripted: ScriptedServer, context_for: ContextFor
) -> None:
    tokens = tuple(Token(0, "x", logprob=-0.1) for _ in range(9))
    assert confidence(tokens, "lowest", 4) is None
    answer = Answer(text="", value="1", strategy="cot", model="only")
    assert weights_of([Sample(0, answer, tokens)], "lowest", 4) == [1.0]


def test_measures_of_a_sample() -> None:
    # Confidences 1, 1, 5, 5, 2, 2: the mean of two alternatives with -c - 1 and -c + 1.
    tokens = [Token(0, "x", top=((0, -c + 1), (1, -c - 1))) for c in (1.0, 1.0, 5.0, 5.0, 2.0, 2.0)]
    measured = {measure: confidence(tokens, measure, 2) for measure in get_args(Measure)}
    assert measured == {"mean": pytest.approx(16 / 6), "tail": 2.0, "lowest-tenth": 1.0, "lowest": 1.0}


async def test_short_answers_are_asked_for_and_vote(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(replies=(Reply(match="three short lines", texts=(_SHORT, "\\boxed{41}", _SHORT)),))
    answer = await Parallel(ParallelOptions(n=3)).solve(_QUESTION, context_for())
    assert (answer.value, answer.evidence.votes) == ("42", 3)
    assert all(prompt.endswith("In one line: $") for prompt in scripted.stats.prompts)


async def test_models_that_think_begin_with_an_empty_thought(scripted: ScriptedServer, context_for: ContextFor) -> None:
    scripted.script = Script(default=say(_SHORT))
    await Parallel(ParallelOptions(n=1, skip="prefill")).solve(_QUESTION, context_for())
    assert scripted.stats.prompts[-1].endswith("<think>\nOkay, I think I have finished thinking.\n</think>\n\n")


class _Knowing:
    """A verifier that knows, or does not, or runs out of budget."""

    name = "knowing"

    def __init__(self, scores: dict[str | None, float | None]) -> None:
        self._scores = scores

    async def score(self, problem: Problem, answer: Answer, context: SolveContext) -> float | None:
        if answer.value not in self._scores:
            raise BudgetSpent("calls")
        return self._scores[answer.value]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({"41": 0.9, "42": 0.1}, "41"),
        ({"41": None, "42": None}, "42"),
        ({"42": 0.1}, "42"),
    ],
    ids=["the verifier chooses", "it cannot tell", "the budget ends"],
)
async def test_a_verifier_chooses_where_it_can_tell(
    scores: dict[str | None, float | None], expected: str, scripted: ScriptedServer, context_for: ContextFor
) -> None:
    scripted.script = Script(default=Reply(texts=(_SHORT, "\\boxed{41}", _SHORT)))
    strategy = Parallel(ParallelOptions(n=3), verifier=_Knowing(scores))
    assert (await strategy.solve(_QUESTION, context_for())).value == expected


async def test_losing_samples_stop_on_llama_cpp_by_its_own_counters(llamacpp_url: str) -> None:
    seen: list[Event] = []
    counted: list[int] = []
    engine = LlamaCppEngine("smol", llamacpp_url)

    async def emit(event: Event) -> None:
        seen.append(event)
        if isinstance(event, StepFinished) and not event.cancelled:
            counted.append(await asyncio.to_thread(_decoded, llamacpp_url))

    begun = _decoded(llamacpp_url)
    model = EngineChat(ModelCard(name="smol", parameters=0.135, context=2048), engine)
    context = SolveContext(
        models={"smol": model}, writers=("smol",), sandbox=BubblewrapSandbox(), limits=Limits(), emit=emit
    )
    problem = _QUESTION.model_copy(update={"sampling": Sampling(seed=1)})
    await ShortM(ShortOptions(k=2, m=1)).solve(problem, context)
    await engine.aclose()
    async with asyncio.timeout(30):
        while any(slot["is_processing"] for slot in _get(f"{llamacpp_url}/slots")):
            await asyncio.sleep(0.02)
    lost = [event for event in seen if isinstance(event, StepFinished) and event.cancelled]
    assert len(lost) == 1, "the two samples have different lengths"
    used, beyond = counted[0] - begun, _decoded(llamacpp_url) - counted[0]
    assert beyond <= max(0.05 * used, 3), f"{beyond} decoding steps after the vote, {used} before"


def _decoded(url: str) -> int:
    """How often the engine has decoded since it was started."""
    with urllib.request.urlopen(f"{url}/metrics") as answer:
        text = answer.read().decode()
    return int(float(re.search(r"^llamacpp:n_decode_total (\S+)$", text, re.MULTILINE)[1]))  # type: ignore[index]


def _get(url: str) -> list[dict[str, object]]:
    with urllib.request.urlopen(url) as answer:
        found: list[dict[str, object]] = json.load(answer)
    return found
