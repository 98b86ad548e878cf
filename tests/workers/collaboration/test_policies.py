"""What each published policy does, on engines whose every token is known."""

import math
import re
from collections.abc import AsyncIterator, Sequence

import pytest

from tests.workers.collaboration.writing import Outcome, Pair, request, write
from workers.collaboration.entropy import entropy_from_below
from workers.collaboration.head import EntropyHead, TokenFeatures
from workers.collaboration.local import LocalCollaboration
from workers.collaboration.policies import policy_names
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import Finish, Generation, Token
from workers.engines.scripted.script import Reply, Script, say

SURE, UNSURE = -0.001, -1.2
GRADE = r"grade the last step"


def unsure_entropy() -> float:
    """Of a token that the scripted engine gives -1.2 nats: its neighbours have 2 nats less each."""
    return entropy_from_below([(rank, UNSURE - 2.0 * rank) for rank in range(20)])


def runs(outcome: Outcome) -> list[str]:
    """Who wrote, as stretches: "ssslls" is sss, ll, s."""
    return [match.group() for match in re.finditer(r"s+|l+", outcome.owners)]


def swap(text: str, owners: str) -> str:
    """The text as it must read when these models wrote it."""
    return "".join(c.lower() if owner == "s" else c.upper() for c, owner in zip(text, owners, strict=True))


def test_there_are_the_published_policies_and_two_references() -> None:
    assert set(policy_names()) >= {"divergence", "entropy", "hawkeye", "leader", "reflection", "stepwise"}
    assert set(policy_names()) >= {"small", "large"}


async def test_references_never_and_always_use_the_large_model(pair: Pair) -> None:
    pair.say("Some words, and some more.")
    small = await write(pair.collaboration, request("small"))
    large = await write(pair.collaboration, request("large"))
    assert (small.text, set(small.owners)) == ("some words, and some more.", {"s"})
    assert (large.text, set(large.owners)) == ("SOME WORDS, AND SOME MORE.", {"l"})
    assert pair.large.stats.tokens == len("some words, and some more.") + 1, "its own answer and the end of its turn"


async def test_entropy_hands_over_when_the_rolling_mean_crosses_the_threshold(pair: Pair) -> None:
    text = "abcdefghij" * 8
    # Sure for 20 tokens, unsure for 30, sure for the rest: the same for both models.
    pair.say(text, logprobs=[SURE] * 20 + [UNSURE] * 30 + [SURE] * 30)
    high, low = unsure_entropy(), entropy_from_below([(rank, SURE - 2.0 * rank) for rank in range(20)])
    window, threshold = 5, 0.4
    wanted = next(n for n in range(1, window + 1) if (n * high + (window - n) * low) / window > threshold)
    back = next(n for n in range(1, window + 1) if ((window - n) * high + n * low) / window <= threshold)

    outcome = await write(pair.collaboration, request("entropy", threshold=threshold, window=window, stay=10))

    first, second, third = runs(outcome)
    assert len(first) == 20 + wanted
    assert len(first + second) == 50 + back
    assert outcome.text == swap(text, outcome.owners)
    assert [handover.position for handover in outcome.handovers] == [len(first), len(first + second)]
    assert "0.4" in outcome.handovers[0].reason
    assert outcome.written[21].entropy == pytest.approx(high)
    assert third


async def test_entropy_stays_at_least_so_long(pair: Pair) -> None:
    text = "x" * 60
    pair.say(text, logprobs=[UNSURE, UNSURE, SURE, SURE])
    outcome = await write(pair.collaboration, request("entropy", threshold=0.5, window=1, stay=7))
    lengths = [len(run) for run in runs(outcome)]
    assert len(lengths) > 3
    assert min(lengths[:-1]) >= 7


async def test_leader_leads_the_first_tokens_of_every_sentence(pair: Pair) -> None:
    text = "One two three. It is 3.14 here! Go?\nNew line\n1. item text"
    pair.say(text)
    outcome = await write(pair.collaboration, request("leader", lead=4))
    sentences = ["One two three.", " It is 3.14 here!", " Go?\n", "New line\n", "1. item text"]
    assert "".join(sentences) == text
    expected = "".join("l" * min(4, len(sentence)) + "s" * max(0, len(sentence) - 4) for sentence in sentences)
    assert outcome.owners == expected
    assert outcome.text == swap(text, expected)


async def test_leader_finishes_the_sentence_in_which_it_comes_to_the_result(pair: Pair) -> None:
    small, large = "it is so. we get \\boxed{99} then. end here.", "IT IS SO. GET \\boxed{12345678}. END HERE. "
    for server, text in ((pair.small, small), (pair.large, large)):
        server.script = Script(default=Reply(texts=(text,), continues=True))
    led = await write(pair.collaboration, request("leader", lead=12))
    assert led.text.startswith("IT IS SO. GET \\boxed{12345678}. END HERE")
    short = await write(pair.collaboration, request("leader", lead=5))
    assert short.text.startswith("IT IS so. GET"), "the result does not begin within its lead"
    assert "12345678" not in short.text


async def test_leaders_gate_draws_the_same_for_the_same_seed(pair: Pair) -> None:
    pair.say("Aaaaaa. " * 12)
    never = await write(pair.collaboration, request("leader", lead=3, gate=0.0))
    assert set(never.owners) == {"s"}
    drawn = [await write(pair.collaboration, request("leader", lead=3, gate=0.5, seed=seed)) for seed in (7, 7, 8)]
    assert drawn[0].owners == drawn[1].owners != drawn[2].owners
    led = drawn[0].owners.count("lll")
    assert 1 <= led <= 11, "some sentences are led, some are not"


async def test_reflection_takes_over_where_the_text_reflects(pair: Pair) -> None:
    text = "Plain words.\n\nNothing of the kind here.\n\nWait, let me see to it.\n\nNo more to say at all here."
    pair.say(text)
    outcome = await write(pair.collaboration, request("reflection", reasoning=True, span=10))
    reflecting = text.index("Wait")
    assert outcome.owners == "s" * reflecting + "l" * 10 + "s" * (len(text) - reflecting - 10)
    assert outcome.text == swap(text, outcome.owners)


async def test_reflection_goes_on_where_the_large_model_verifies(pair: Pair) -> None:
    text = "Plain words.\n\nLet me check: this is the place where it goes on and on, until it is enough."
    pair.say(text)
    outcome = await write(pair.collaboration, request("reflection", reasoning=True, span=12, verify_tokens=20))
    start = text.index("Let")
    assert outcome.owners == "s" * start + "l" * 32 + "s" * (len(text) - start - 32)


async def test_reflection_helps_a_model_that_does_not_reason_at_every_paragraph(pair: Pair) -> None:
    text = "Beginning of it all.\n\nSecond paragraph of it.\n\nThird paragraph of it."
    pair.say(text)
    outcome = await write(pair.collaboration, request("reflection", span=5, begin_tokens=9))
    expected = list("s" * len(text))
    for start, length in ((0, 9), (text.index("Second"), 5), (text.index("Third"), 5)):
        expected[start : start + length] = "l" * length
    assert outcome.owners == "".join(expected)


async def test_reflection_looks_for_wrong_steps_when_doubts_have_piled_up(pair: Pair) -> None:
    text = "First.\n\nWait, no.......\n\nWait, well.....\n\nThen it goes on, and on" + ", and on" * 12
    pair.say(text)
    outcome = await write(
        pair.collaboration, request("reflection", reasoning=True, span=10, recap_after=2, recap_tokens=15)
    )
    recap = "Let me check whether there are some wrong steps:"
    assert recap in outcome.text
    at = outcome.text.index(recap)
    assert at == text.index("Then"), "after the second doubt, at the next blank line"
    assert set(outcome.owners[at : at + len(recap) + 15]) == {"l"}
    assert outcome.owners[at + len(recap) + 15] == "s"


@pytest.mark.parametrize("score", ["greedy", "average"])
async def test_stepwise_accepts_good_steps_and_rewrites_bad_ones(pair: Pair, score: str) -> None:
    steps = ["First step.\n\n", "Second step.\n\n", "Third step."]
    bad = say("2", match=rf"(?s)second step\.\n\n<\|im_end\|>.*{GRADE}", logprobs=(-0.2,))
    good = say("9", match=GRADE, logprobs=(-0.2,))
    pair.say("".join(steps), bad, good)
    outcome = await write(pair.collaboration, request("stepwise", score=score))
    assert outcome.text == "first step.\n\nSECOND STEP.\n\nthird step."
    assert [handover.model for handover in outcome.handovers] == ["l", "s"]
    assert "below 7" in outcome.handovers[0].reason
    assert outcome.finish is not None
    assert outcome.finish.reason == "stop"


async def test_stepwises_question_follows_what_the_large_model_has_read(pair: Pair) -> None:
    pair.say("First step.\n\nSecond step.\n\nThird.", say("1", match=GRADE))
    await write(pair.collaboration, request("stepwise"))
    prompts = [str(prompt) for prompt in pair.large.stats.prompts]
    graded, written = prompts[0::2], prompts[1::2]
    assert len(graded) == len(written) == 3
    for question, step in zip(graded, written, strict=True):
        assert question.startswith(step), "a rewrite goes on from the same prefix as the grading"
        assert question.endswith("The quality score is: ")


class Asked(LlamaCppEngine):
    """An engine that keeps what it was asked to generate, and how often to spell ids."""

    def __init__(self, name: str, url: str) -> None:
        super().__init__(name, url)
        self.generations: list[Generation] = []
        self.spelt = 0

    def generate(self, generation: Generation) -> AsyncIterator[Token | Finish]:
        self.generations.append(generation)
        return super().generate(generation)

    async def detokenize(self, ids: Sequence[int]) -> str:
        self.spelt += 1
        return await super().detokenize(ids)


@pytest.mark.parametrize(("score", "likeliest"), [("greedy", 0), ("average", 10)])
async def test_a_grading_is_one_request_with_the_log_probabilities_that_its_score_needs(
    pair: Pair, score: str, likeliest: int
) -> None:
    pair.say("First step.\n\nSecond step.", say("9", match=GRADE, logprobs=(-0.2,)))
    large = Asked("l", pair.large.url)
    collaboration = LocalCollaboration({**pair.engines, "l": large})
    await write(collaboration, request("stepwise"))  # compares the vocabularies, which asks for more
    large.generations, large.spelt = [], 0
    outcome = await write(collaboration, request("stepwise", score=score))
    await large.aclose()
    assert outcome.text == "first step.\n\nsecond step."
    assert [generation.top_logprobs for generation in large.generations] == [likeliest] * 2, "one for each step"
    assert large.spelt == 0


async def test_stepwise_ends_with_the_boxed_result(pair: Pair) -> None:
    pair.say("It is 2.\n\nSo \\boxed{2}.\n\nAnd much more that nobody asked for.", say("9", match=GRADE))
    outcome = await write(pair.collaboration, request("stepwise"))
    assert outcome.text == "it is 2.\n\nso \\boxed{2}.\n\n"
    assert outcome.finish is not None
    assert outcome.finish.reason == "stop"


async def test_stepwise_leaves_the_first_steps_to_the_large_model(pair: Pair) -> None:
    pair.say("One.\n\nTwo.\n\nThree.", say("9", match=GRADE))
    outcome = await write(pair.collaboration, request("stepwise", large_steps=2))
    assert outcome.text == "ONE.\n\nTWO.\n\nthree."


async def test_hawkeyes_small_model_follows_the_large_ones_plan(pair: Pair) -> None:
    pair.say("The whole answer.", say("2*3=6; +1=7", match="Do not answer yet"))
    outcome = await write(pair.collaboration, request("hawkeye", text="What is 2*3+1?", plan_tokens=8))
    assert outcome.text == "the whole answer."
    asked = str(pair.small.stats.prompts[-1])
    assert "What is 2*3+1?" in asked
    assert "2*3=6; +" in asked, "the plan, cut at its limit"
    assert "2*3=6; +1" not in asked
    assert outcome.finish is not None
    assert outcome.finish.usage["l"].completion == 8


class Vowels:
    """A head that finds every vowel divergent."""

    top_logprobs = 3
    threshold = 0.5

    def divergent(self, features: TokenFeatures) -> float:
        assert len(features.top) == 3
        return 0.9 if chr(features.id) in "aeiou" else 0.1


async def test_divergence_lets_the_large_model_write_the_divergent_tokens(pair: Pair) -> None:
    text = "never a consonant but vowels"
    pair.say(text)
    outcome = await write(LocalCollaboration(pair.engines, heads={("s", "l"): Vowels()}), request("divergence"))
    assert outcome.text == "".join(c.upper() if c in "aeiou" else c for c in text)
    assert outcome.finish is not None
    assert outcome.finish.usage["l"].completion == sum(c in "aeiou" for c in text), "one token at a time"
    never = await write(
        LocalCollaboration(pair.engines, heads={("s", "l"): Vowels()}), request("divergence", threshold=1.0)
    )
    assert set(never.owners) == {"s"}


async def test_divergence_without_a_head_goes_by_entropy(pair: Pair) -> None:
    text = "abcdefgh" * 3
    pair.say(text, logprobs=[SURE, SURE, UNSURE, SURE])
    outcome = await write(pair.collaboration, request("divergence"))
    assert outcome.owners == "sssl".replace("sssl", "ssls") * 6
    assert unsure_entropy() > 0.45


@pytest.mark.parametrize("shown", [1, 20, 60])
async def test_how_many_alternatives_are_shown_does_not_change_who_writes(pair: Pair, shown: int) -> None:
    pair.say("abcdefgh" * 3, logprobs=[SURE, SURE, UNSURE, SURE])
    head = Seen()
    outcome = await write(LocalCollaboration(pair.engines, heads={("s", "l"): head}), request("divergence"))
    asked = await write(
        LocalCollaboration(pair.engines, heads={("s", "l"): head}), request("divergence", top_logprobs=shown)
    )
    assert asked.owners == outcome.owners
    half = len(head.tops) // 2
    assert head.tops[:half] == head.tops[half:], "and so in what the head is told"
    assert head.entropies[:half] == head.entropies[half:]


class Seen:
    """A head that keeps what it was told."""

    top_logprobs = 20
    threshold = 0.5

    def __init__(self) -> None:
        self.tops: list[tuple[tuple[int, float], ...]] = []
        self.entropies: list[float] = []

    def divergent(self, features: TokenFeatures) -> float:
        self.tops.append(features.top)
        self.entropies.append(features.entropy)
        return EntropyHead().divergent(features)


async def test_the_large_models_last_token_may_end_the_answer(pair: Pair) -> None:
    # The small model would go on; where it is unsure, the large one ends its turn.
    pair.small.script = Script(
        default=Reply(texts=("abcdef and more",), continues=True, logprobs=(SURE,) * 6 + (UNSURE,))
    )
    pair.large.script = Script(default=Reply(texts=("ABCDEF",), continues=True))
    outcome = await write(pair.collaboration, request("divergence"))
    assert outcome.text == "abcdef"
    assert outcome.finish is not None
    assert outcome.finish.reason == "stop"


def test_entropy_is_estimated_from_below() -> None:
    everything = [(0, math.log(0.5)), (1, math.log(0.25)), (2, math.log(0.25))]
    assert entropy_from_below(everything) == pytest.approx(1.5 * math.log(2))
    assert entropy_from_below(everything[:1]) == pytest.approx(math.log(2))
    assert entropy_from_below(everything[:2]) <= entropy_from_below(everything) + 1e-12
    assert entropy_from_below([(0, 0.0)]) == 0.0
