"""Questions of reasoning-gym as files; the package itself is installed where a benchmark asks for it."""

import os
import subprocess
import sys
from pathlib import Path

from bench.gym_questions import GYM, SEED
from bench.questions import read_questions

_LINE = '{"family": "lcm", "number": 7, "question": "Find the LCM of these numbers: 4, 6 ", "answer": "12"}\n'


def _run(models: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TANDEM__STORAGE__MODELS": str(models)}
    command = [sys.executable, "-m", "bench.gym_questions", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_what_was_made_before_is_written_as_a_question_file(tmp_path: Path) -> None:
    made = tmp_path / f"gym-{GYM}"
    made.mkdir()
    (made / f"lcm-{SEED}-1.jsonl").write_text(_LINE, encoding="utf-8")
    written = _run(tmp_path / "models", str(tmp_path / "questions"), "lcm:1")
    assert written.returncode == 0, written.stderr
    assert "lcm.jsonl: 1 questions" in written.stdout
    [question] = read_questions(tmp_path / "questions", "lcm", 5)
    assert (question.id, question.question) == ("gym/lcm/007", "Find the LCM of these numbers: 4, 6")
    assert (question.form, question.answer) == ("number", "12")


def test_a_family_without_its_rows_is_refused(tmp_path: Path) -> None:
    refused = _run(tmp_path / "models", str(tmp_path), "lcm=3")
    assert refused.returncode == 2 and "'lcm=3' is not FAMILY:ROWS" in refused.stderr
    assert list(tmp_path.iterdir()) == []
