"""What the loop promises whatever the policy: exact sequences, limits, counts, resuming, aborting."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from tests.waiting import eventually, within_a_second
from tests.workers.collaboration.writing import Pair, request, write
from workers.collaboration.head import TokenFeatures
from workers.collaboration.local import LocalCollaboration
from workers.collaboration.protocol import UnknownPolicy, Written
from workers.engines.errors import EngineRefused
from workers.engines.scripted.script import Reply, Script, say
from workers.models.engine_chat import PromptTooLong

TEXT = (
    "One thing is sure. Another, wait, is not.\n\nLet me check it: the sum of two and two. Is it four? Yes.\n\n"
    "Wait, there is more of it, and it takes long. Hold on.\n\nSo the answer is four."
)
GRADES = (
    say("3", match=r"(?s)check it.*<\|im_end\|>.*grade the last step"),
    say("8", match="grade the last step"),
    say("a plan", match="Do not answer yet"),
)
OPTIONS: dict[str, dict[str, object]] = {
    "entropy": {"threshold": 0.3, "stay": 3},
    "leader": {"lead": 4, "gate": 0.7},
    "reflection": {"reasoning": True, "span": 9, "verify_tokens": 12, "recap_after": 1, "recap_tokens": 5},
    "stepwise": {"large_steps": 1},
    "hawkeye": {},
    "divergence": {},
    "small": {},
    "large": {},
}


def uncertain(pair: Pair) -> None:
    pair.say(TEXT, *GRADES, logprobs=[-0.001] * 7 + [-1.2] * 6)


@pytest.mark.parametrize("policy", OPTIONS)
async def test_another_worker_goes_on_exactly_where_the_first_one_stopped(pair: Pair, policy: str) -> None:
    uncertain(pair)
    wanted = request(policy, **OPTIONS[policy])
    whole = await write(pair.collaboration, wanted)
    assert [token.position for token in whole.written] == list(range(len(whole.written)))
    for shown in (1, 18, 50, 120, len(whole.written)):
        rest = await write(pair.collaboration, wanted, whole.written[:shown])
        assert rest.written == whole.written[shown:], f"after {shown} tokens"
        assert rest.handovers == [handover for handover in whole.handovers if handover.position >= shown]


@pytest.mark.parametrize(
    ("policy", "options"), [("entropy", {"threshold": 0.5, "stay": 3}), ("leader", {"lead": 4, "gate": 0.7})]
)
async def test_token_by_token_it_makes_no_difference_where_that_is(
    pair: Pair, policy: str, options: dict[str, object]
) -> None:
    # The large model opens its sentences with a blank line, where the small one would go on in the line.
    small, large = "one. two, yes. three. \\boxed{4}. five. ", "ONE.\n\nTWO, Y.\n\nREE. \\boxed{4}. FIVE!\n"
    for server, text in ((pair.small, small), (pair.large, large)):
        logprobs = (-0.001,) * 7 + (-1.2,) * 6
        server.script = Script(default=Reply(texts=(text,), continues=True, logprobs=logprobs))
    wanted = request(policy, **options)
    whole = await write(pair.collaboration, wanted)
    assert len(whole.handovers) >= 4
    for shown in range(1, len(whole.written)):
        rest = await write(pair.collaboration, wanted, whole.written[:shown])
        assert rest.owners == whole.owners[shown:], f"after {shown} tokens"
        assert rest.written == whole.written[shown:], f"after {shown} tokens"
        assert rest.handovers == [handover for handover in whole.handovers if handover.position >= shown]


@pytest.mark.parametrize("policy", ["entropy", "leader", "stepwise"])
async def test_an_answer_has_at_most_so_many_tokens(pair: Pair, policy: str) -> None:
    uncertain(pair)
    for limit in (1, 17, 40):
        outcome = await write(pair.collaboration, request(policy, max_tokens=limit, **OPTIONS[policy]))
        assert len(outcome.written) == limit
        assert outcome.finish is not None
        assert outcome.finish.reason == "length"


@pytest.mark.parametrize("policy", ["small", "leader", "stepwise", "divergence"])
async def test_stop_strings_end_the_answer_whoever_wrote_them(pair: Pair, policy: str) -> None:
    uncertain(pair)
    whole = (await write(pair.collaboration, request(policy, **OPTIONS[policy]))).text
    stop = whole[55:64]
    outcome = await write(pair.collaboration, request(policy, stop=(stop, "nowhere"), **OPTIONS[policy]))
    assert outcome.text == whole[: whole.index(stop)]
    assert outcome.finish is not None
    assert outcome.finish.reason == "stop"


async def test_nothing_of_a_stop_string_is_ever_shown(pair: Pair) -> None:
    pair.say("Go on until STOPPED here.")
    shown = ""
    async with aclosing(pair.collaboration.write(request("small", stop=("stopped",)))) as events:
        async for event in events:
            if isinstance(event, Written):
                shown += event.text
                assert not shown.endswith("s")
    assert shown == "go on until "


async def test_a_character_may_be_begun_by_one_model_and_completed_by_the_other(pair: Pair) -> None:
    text = "Grüße 日本語 🎈!"
    for server in (pair.small, pair.large):
        server.script = Script(default=Reply(texts=(text,), continues=True))
    collaboration = LocalCollaboration(pair.engines, heads={("s", "l"): _EveryThird()})
    outcome = await write(collaboration, request("divergence"))
    assert bytes(outcome.ids).decode() == text
    assert outcome.text == text
    assert {"s", "l"} == set(outcome.owners)


class _EveryThird:
    top_logprobs = 1
    threshold = 0.5

    def __init__(self) -> None:
        self._seen = 0

    def divergent(self, features: TokenFeatures) -> float:
        self._seen += 1
        return float(self._seen % 3 == 0)


@pytest.mark.parametrize("policy", OPTIONS)
async def test_usage_is_what_the_engines_counted(pair: Pair, policy: str) -> None:
    uncertain(pair)
    wanted = request(policy, **OPTIONS[policy])
    outcome = await write(pair.collaboration, wanted)
    finish = outcome.finish
    assert finish is not None
    for name, server in (("s", pair.small), ("l", pair.large)):
        counted = finish.usage.get(name)
        if counted is None:
            assert server.stats.tokens == 0
            continue
        assert finish.calls[name] == server.stats.requests
        # A stream that is cut has made a few tokens more than its reader saw.
        assert counted.completion <= server.stats.tokens
        own = sum(token.model == name for token in outcome.written)
        assert own <= counted.completion or policy == "reflection"
        assert counted.cached < counted.prompt
    assert (dict(wanted.meter.usage), dict(wanted.meter.calls)) == (finish.usage, finish.calls)


async def test_a_hand_over_reads_only_what_is_new(pair: Pair) -> None:
    pair.say(("Aaaaaaaaaa aaaaaaaa. " * 10).strip())
    outcome = await write(pair.collaboration, request("leader", lead=5))
    assert outcome.finish is not None
    usage, calls = outcome.finish.usage["l"], outcome.finish.calls["l"]
    read = usage.prompt - usage.cached
    assert calls == 10
    assert read < len("<|im_start|>user\nTell me.<|im_end|>\n<|im_start|>assistant\n") + len(outcome.text)


@pytest.mark.parametrize(("policy", "tokens"), [("leader", 2), ("leader", 9), ("small", 5), ("large", 5)])
async def test_closing_aborts_both_engines_within_a_second(pair: Pair, policy: str, tokens: int) -> None:
    pair.say("Abcdefg hijk. " * 500, delay=0.01)
    wanted = request(policy, lead=5) if policy == "leader" else request(policy)
    async with aclosing(pair.collaboration.write(wanted)) as events:
        async for event in events:
            if isinstance(event, Written) and event.position + 1 >= tokens:
                break
        assert pair.small.stats.running + pair.large.stats.running == 1
        async with within_a_second():
            await events.aclose()
            await eventually(lambda: pair.small.stats.running + pair.large.stats.running == 0)


async def test_cancelling_while_the_large_model_grades_aborts_it(pair: Pair) -> None:
    pair.say("A step.\n\nAnother.", say("9", match="grade the last step", prompt_delay=30))
    task = asyncio.create_task(write(pair.collaboration, request("stepwise")))
    await eventually(lambda: pair.large.stats.running == 1)
    async with within_a_second():
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await eventually(lambda: pair.large.stats.running == 0)


async def test_eight_answers_at_once_do_not_mix_and_all_get_on(pair: Pair) -> None:
    names = "abcdefgh"
    replies = {name: f"{name}{name} {name}. " * 12 for name in names}
    for server, change in ((pair.small, str.lower), (pair.large, str.upper)):
        server.script = Script(
            slots=4,
            replies=tuple(
                Reply(match=rf"Tell {name}\b", texts=(change(text),), continues=True, delay=0.002)
                for name, text in replies.items()
            ),
        )
    progress = dict.fromkeys(names, 0)
    at_first_end: dict[str, int] = {}

    async def one(name: str) -> str:
        text = ""
        async for event in pair.collaboration.write(request("leader", text=f"Tell {name} all.", lead=3)):
            if isinstance(event, Written):
                text += event.text
                progress[name] += 1
        at_first_end.update(at_first_end or progress)
        return text

    texts = await asyncio.gather(*map(one, names))
    for name, text in zip(names, texts, strict=True):
        assert text.lower() == replies[name]
        assert text.startswith(f"{name}{name} ".upper() + f"{name}.")
    assert min(at_first_end.values()) > max(at_first_end.values()) / 4, f"somebody was left behind: {at_first_end}"


async def test_every_call_of_an_engine_passes_the_gate(pair: Pair) -> None:
    uncertain(pair)
    gate = _Gate()
    outcome = await write(LocalCollaboration(pair.engines, gate), request("stepwise"))
    assert outcome.finish is not None
    assert {name: gate.passed.count(name) for name in "sl"} == outcome.finish.calls
    assert gate.most_at_once == 1, "one model waits while the other one writes"


class _Gate:
    def __init__(self) -> None:
        self.passed: list[str] = []
        self.most_at_once = 0
        self._inside = 0

    @asynccontextmanager
    async def hold(self, model: str) -> AsyncIterator[None]:
        self.passed.append(model)
        self._inside += 1
        self.most_at_once = max(self.most_at_once, self._inside)
        try:
            yield
        finally:
            self._inside -= 1


async def test_unknown_policies_and_options_are_named_with_the_known_ones(pair: Pair) -> None:
    with pytest.raises(UnknownPolicy, match=r"no policy 'magic'.*entropy.*leader"):
        await write(pair.collaboration, request("magic"))
    with pytest.raises(UnknownPolicy, match=r"(?s)'leader'.*leed.*options are:.*lead"):
        await write(pair.collaboration, request("leader", leed=3))
    with pytest.raises(UnknownPolicy, match=r"gate"):
        await write(pair.collaboration, request("leader", gate=1.5))


async def test_models_without_an_engine_are_refused(pair: Pair) -> None:
    with pytest.raises(EngineRefused, match=r"'gpt'.*l, s"):
        await write(pair.collaboration, request("small").model_copy(update={"large": "gpt"}))


async def test_a_json_schema_is_refused(pair: Pair) -> None:
    with pytest.raises(EngineRefused, match="JSON schema"):
        await write(pair.collaboration, request("small", json_schema={"type": "object"}))


async def test_a_prompt_that_one_of_the_models_cannot_hold_is_refused(pair: Pair) -> None:
    pair.say("Words.")
    pair.large.script = Script(context=60)
    with pytest.raises(PromptTooLong, match="'l'"):
        await write(pair.collaboration, request("small", text="word " * 30))


async def test_alternatives_are_spelt_and_leave_out_the_token_itself(pair: Pair) -> None:
    pair.say("abc")
    outcome = await write(pair.collaboration, request("small", top_logprobs=3))
    first = outcome.written[0]
    assert re.fullmatch("a", first.text)
    assert [alternative.text for alternative in first.alternatives] == ["b", "c"]
    assert first.logprob == pytest.approx(-0.001)
