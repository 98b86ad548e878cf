"""The label pipeline on a scripted large model, and a small one whose every disagreement is known."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.engines import closed_after
from workers.collaboration.protocol import VocabulariesDiffer
from workers.divergence.alternatives import ends_sentence, first_sentence, plain_verdict
from workers.divergence.dataset import TooFewLabels
from workers.divergence.journal import Journal
from workers.divergence.pipeline import OtherPair, Pair, Pipeline
from workers.divergence.records import Label, TrainingQuestion
from workers.divergence.training_options import TrainingOptions
from workers.engines.llamacpp import LlamaCppEngine
from workers.engines.protocol import EngineDescription
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.engines.torch_engine import Reading

PAIR = Pair("a" * 64, "b" * 64)
ANSWER = "He has 5 eggs. Now add 2. So \\boxed{7}."
QUESTIONS = [TrainingQuestion(id=f"q{number}", text=f"Question {number}?") for number in range(2)]
# What the small model would write instead, by the text before it.
DISAGREES = {"He has ": "6", "He has 5 eggs. Now ": "w"}
SCRIPT = Script(
    context=4096,
    slots=2,
    replies=(
        say("different", match=r"Compare two phrases"),
        say(" eggs. ", match=r"He has 6$"),
        say("e add 2. ", match=r"Now w$"),
    ),
    default=say(ANSWER),
)


class Small:
    """Agrees with every token but those in ``DISAGREES``; every character is a token."""

    def __init__(self, engine: LlamaCppEngine) -> None:
        self._engine = engine
        self.reads = 0

    async def read(self, ids: Sequence[int], start: int, top: int) -> Reading:
        self.reads += 1
        first = np.zeros((len(ids) - start, top), dtype=np.int32)
        for index in range(start, len(ids)):
            before = await self._engine.detokenize(ids[start:index])
            other = DISAGREES.get(before)
            first[index - start, 0] = (await self._engine.tokenize(other))[0] if other else ids[index]
        # Less sure wherever it disagrees.
        wrong = first[:, 0] != np.asarray(ids[start:])
        logprobs = np.where(wrong[:, None], -1.0, -0.01) - 2.0 * np.arange(top)[None]
        return Reading(first, logprobs.astype(np.float32), np.zeros((len(first), 4), dtype=np.float32))

    async def describe(self) -> EngineDescription:
        return await self._engine.describe()

    async def tokenize(self, text: str) -> tuple[int, ...]:
        return await self._engine.tokenize(text)

    async def detokenize(self, ids: Sequence[int]) -> str:
        return await self._engine.detokenize(ids)

    async def embeddings(self) -> NDArray[np.float32]:
        return np.random.default_rng(0).normal(size=(300, 16)).astype(np.float32)


async def run(folder: Path, questions: Sequence[TrainingQuestion] = QUESTIONS) -> tuple[list[Label], int, int]:
    """Labels, how often the small model read, and how many tokens the large one wrote."""
    with ScriptedServer(SCRIPT) as server:
        engine = LlamaCppEngine("large", server.url)
        small = Small(engine)
        labelled = await Pipeline(folder, PAIR, lambda line: None).label(small, engine, questions, 100)
        await engine.aclose()
        return list(labelled.labels), small.reads, server.stats.tokens


async def test_every_mismatch_is_labelled_by_rule_or_by_the_judge(tmp_path: Path) -> None:
    labels, reads, _ = await run(tmp_path)
    assert reads == 2
    found = sorted(
        (label.question, label.small_text, label.large_text, label.divergent, label.ground) for label in labels
    )
    assert found == [
        ("q0", "6 eggs. ", "5 eggs. ", True, "numbers"),
        ("q0", "we add 2. ", "add 2. ", True, "judge"),
        ("q1", "6 eggs. ", "5 eggs. ", True, "numbers"),
        ("q1", "we add 2. ", "add 2. ", True, "judge"),
    ]
    assert all((label.probability is not None) == (label.ground == "judge") for label in labels)


async def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    labels, _, _ = await run(tmp_path)
    again, reads, tokens = await run(tmp_path)
    assert (reads, tokens) == (0, 0)
    assert {(label.question, label.position) for label in again} == {
        (label.question, label.position) for label in labels
    }


async def test_a_killed_run_loses_its_last_line_only(tmp_path: Path) -> None:
    await run(tmp_path, QUESTIONS[:1])
    path = tmp_path / "labels.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert len(Journal(path, Label).read()) == whole.count(b"\n") - 1
    labels, reads, _ = await run(tmp_path, QUESTIONS[:1])
    assert (len(labels), reads) == (2, 0)


async def test_what_belongs_to_another_answer_of_the_same_question_is_made_again(tmp_path: Path) -> None:
    labels, _, _ = await run(tmp_path)
    reading = tmp_path / "readings" / "q0.npz"
    with np.load(reading) as stored:
        shorter = {name: stored[name][:-3] for name in stored.files}
    np.savez_compressed(reading, **shorter)
    strange = labels[0].model_copy(update={"position": 9999})
    Journal(tmp_path / "labels.jsonl", Label).append(strange)
    again, reads, _ = await run(tmp_path)
    assert reads == 1
    assert {(label.question, label.position) for label in again} == {
        (label.question, label.position) for label in labels
    }


async def test_a_folder_belongs_to_one_pair(tmp_path: Path) -> None:
    Pipeline(tmp_path, PAIR, print)
    with pytest.raises(OtherPair, match="another folder"):
        Pipeline(tmp_path, Pair("c" * 64, "b" * 64), print)


async def test_a_pair_that_cannot_be_told_from_others_has_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OtherPair, match=r"unknown.*set `sha256`"):
        Pipeline(tmp_path / "work", Pair("", ""), print)
    assert not (tmp_path / "work").exists()


async def test_two_tokenizers_are_found_out_before_anything_is_asked(tmp_path: Path) -> None:
    class Other(Small):
        async def tokenize(self, text: str) -> tuple[int, ...]:
            return tuple(map(ord, text))

    with ScriptedServer(SCRIPT) as server:
        engine = LlamaCppEngine("large", server.url)
        async with closed_after([engine]):
            with pytest.raises(VocabulariesDiffer, match="one family"):
                await Pipeline(tmp_path, PAIR, print).label(Other(engine), engine, QUESTIONS, 100)
        assert server.stats.tokens == 0


async def test_a_folder_that_holds_enough_needs_no_model(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, PAIR, print)
    assert pipeline.kept(QUESTIONS, 1) is None, "there is nothing yet"
    labels, _, _ = await run(tmp_path)
    kept = pipeline.kept(QUESTIONS, 100)
    assert kept is not None
    assert sorted(kept.labels, key=str) == sorted(labels, key=str)
    assert pipeline.kept([*QUESTIONS, TrainingQuestion(id="q2", text="?")], 100) is None, "one question is new"
    path = tmp_path / "labels.jsonl"
    path.write_bytes(path.read_bytes().rstrip(b"\n"))  # as where a line was not finished
    assert pipeline.kept(QUESTIONS, 100) is None, "a mismatch has no label"
    assert pipeline.kept(QUESTIONS, 3) is not None, "but three are enough where three are wanted"
    (tmp_path / "readings" / "q1.npz").unlink()
    assert pipeline.kept(QUESTIONS, 3) is None


async def test_two_labelled_answers_are_too_few_to_train_on(tmp_path: Path) -> None:
    with ScriptedServer(SCRIPT) as server:
        engine = LlamaCppEngine("large", server.url)
        pipeline = Pipeline(tmp_path, PAIR, lambda line: None)
        labelled = await pipeline.label(Small(engine), engine, QUESTIONS, 100)
        await engine.aclose()
    with pytest.raises(TooFewLabels, match="2 answers"):
        pipeline.train(labelled, TrainingOptions())


def test_a_judge_that_is_unsure_is_asked_where_rules_say_nothing() -> None:
    assert plain_verdict(" the cost\n", " The  cost ") == (False, "same")
    assert plain_verdict("5 + 3 = 8. ", "5 - 3 = 2. ") == (True, "numbers")
    assert plain_verdict("we add 3. ", "we add 3 and 4. ") is None
    assert plain_verdict("1,000 eggs", "1000 eggs") is None
    assert plain_verdict("add them. ", "subtract them. ") is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("It is 3.5 kg. Then", "It is 3.5 kg. "),
        ("No end", "No end"),
        (" first\n\nsecond", " first\n"),
        ("\n\nSecond. Third", "\n\nSecond. "),
        ('He said "go." Then', 'He said "go." '),
    ],
)
def test_a_sentence_ends_with_a_mark_and_white_space(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence
    assert ends_sentence(text) == (sentence != "No end")
