"""Votes: who leads, and when further votes could not change that."""

import pytest

from agents.problem import Answer, Evidence
from agents.sampling import Sample
from agents.voting import elected, leads_for_good, parties, shortest
from workers.engines.protocol import Token


def _sample(index: int, value: str | None, length: int = 1, logprob: float | None = None) -> Sample:
    evidence = Evidence(mean_logprob=logprob)
    answer = Answer(text=f"text {index}", value=value, strategy="cot", model="only", evidence=evidence)
    return Sample(index, answer, tuple(Token(0, "x") for _ in range(length)))


@pytest.mark.parametrize(
    ("votes", "expected"),
    [([], 0.5), ([1], 0.75), ([3], 0.9375), ([4], 0.96875), ([4, 1], 57 / 64), ([2, 2], 0.5)],
)
def test_certainty_of_the_leader_is_the_mass_of_the_beta_posterior_above_one_half(
    votes: list[int], expected: float
) -> None:
    assert leads_for_good(votes) == pytest.approx(expected)


async def test_equal_answers_in_different_writing_are_one_party() -> None:
    found = await parties([_sample(0, "1/2"), _sample(1, "7"), _sample(2, "0.5")], "number")
    assert [(party.votes, party.samples[0].index) for party in found] == [(2, 0), (1, 1)]


async def test_a_tie_goes_to_the_shorter_sample_and_absent_answers_do_not_vote() -> None:
    votes = [_sample(0, "1", 9), _sample(1, "2", 3), _sample(2, None, 1)]
    found = await parties(votes, "number")
    assert [party.value for party in found] == ["2", "1"]
    answer = elected("short-m", found, votes)
    assert (answer.value, answer.evidence.votes, answer.evidence.agreement) == ("2", 3, 1 / 3)


async def test_a_tie_goes_to_the_surer_sample_where_a_strategy_does_not_prefer_the_shorter_one() -> None:
    votes = [_sample(0, "1", 9, -0.1), _sample(1, "2", 3, -0.2)]
    assert (await parties(votes, "number"))[0].value == "1"
    assert (await parties(votes, "number", preference=shortest))[0].value == "2"


async def test_a_sample_of_unknown_log_probability_is_not_taken_for_a_sure_one() -> None:
    votes = [_sample(0, "1", 3), _sample(1, "2", 9, -2.0)]
    assert (await parties(votes, "number"))[0].value == "2"


async def test_weight_beats_number() -> None:
    votes = [_sample(0, "1"), _sample(1, "1"), _sample(2, "2")]
    found = await parties(votes, "number", [0.1, 0.2, 0.9])
    assert found[0].value == "2"
    assert found[1].samples[0].index == 1, "the best sample speaks for its party"


async def test_without_any_answer_nothing_is_elected() -> None:
    votes = [_sample(0, None, 5), _sample(1, None, 2)]
    answer = elected("short-m", await parties(votes, "number"), votes)
    assert (answer.value, answer.text, answer.strategy) == (None, "text 1", "short-m")
