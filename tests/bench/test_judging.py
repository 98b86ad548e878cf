"""Judged answers to known questions, and the card in the service that they make."""

from pathlib import Path

import orjson
import pytest

from agents.verifying.judge import Judge
from bench.judging import judged_answers
from bench.questions import read_questions
from bench.run import open_solver
from orchestrator.verifiers import build_verifier
from routers.acceptance.card import CardUnreadable
from routers.judging.training import JudgedAnswer, calibrate_judge
from tests.orchestrator.conftest import settings_for
from workers.engines.scripted.script import Script, say
from workers.engines.scripted.server import ScriptedServer


async def test_every_models_answer_is_judged_once_and_set_beside_the_key(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    lines = [
        orjson.dumps(
            {"id": str(n), "question": f"What is {n} and {n}?", "answer": "4", "kind": "x", "answer_type": "number"}
        )
        for n in (2, 3)
    ]
    (tmp_path / "sums.jsonl").write_bytes(b"\n".join(lines))
    scripted.script = Script(
        replies=(
            say("no", match="final answer: 5"),
            say("yes", match="final answer: 4"),
            say("\\boxed{5}", match="3 and 3"),
        ),
        default=say("\\boxed{4}"),
    )
    questions = read_questions(tmp_path, "sums", 2)
    answers: list[JudgedAnswer] = []
    for _ in range(2):
        async with open_solver(settings_for(tmp_path, "", scripted.url), tmp_path / "cache.sqlite") as solver:
            answers = await judged_answers(solver, "sums", questions, ("small", "large"), Judge("large"), lambda: None)
    assert [(answer.question, answer.right) for answer in answers] == [("2", True)] * 2 + [("3", False)] * 2
    assert all((answer.score > 0.5) == answer.right for answer in answers)
    assert [answer.model for answer in answers] == ["small", "large"] * 2
    assert all(answer.agrees for answer in answers)
    # Four answers, and one verdict on each text: what two models write alike is judged once, in both runs.
    assert scripted.stats.requests == 4 + 2


def test_the_services_judge_is_calibrated_by_the_card_that_the_settings_name(
    tmp_path: Path, scripted: ScriptedServer
) -> None:
    settings = settings_for(tmp_path, "", scripted.url)
    sha = settings.models["large"].sha256
    answers = [JudgedAnswer("sums", str(n), 0.9, n % 2 == 0) for n in range(50)]
    path = tmp_path / "judge.json"
    path.write_text(calibrate_judge(answers, sha).model_dump_json())

    def judge(card: Path) -> object:
        options = settings.strategies.model_copy(update={"verifier": "judge", "judge_card": str(card)})
        return build_verifier(settings.model_copy(update={"strategies": options}))

    assert isinstance(judge(path), Judge)
    with pytest.raises(CardUnreadable, match=r"nowhere\.json"):
        judge(tmp_path / "nowhere.json")
