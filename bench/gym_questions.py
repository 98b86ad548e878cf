"""Questions from reasoning-gym: families of puzzles with answers, the same ones for the same seed."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.questions import NoQuestions, Question

GYM = "0.1.25"
SEED = 6
_YES_NO = frozenset({"syllogism"})


def gym_questions(cache: Path, wanted: Mapping[str, int], say: Callable[[str], None]) -> dict[str, list[Question]]:
    """So many questions of each family, read from ``cache`` where they were made before. Raises ``NoQuestions``.

    The package gets a virtual environment of its own there: it pins a dozen packages that nothing else here needs.
    """
    try:
        return {family: _family(cache, family, count, say) for family, count in wanted.items()}
    except (subprocess.CalledProcessError, OSError) as error:
        detail = (getattr(error, "stderr", None) or str(error)).strip()[-400:]
        raise NoQuestions(f"reasoning-gym {GYM} cannot make questions: {detail}; leave it out with --no-gym") from error


def _family(cache: Path, family: str, count: int, say: Callable[[str], None]) -> list[Question]:
    if count == 0:
        return []
    path = cache / f"gym-{GYM}" / f"{family}-{SEED}-{count}.jsonl"
    if not path.exists():
        # Isolated: modules beside the script are not to be taken for the standard library's.
        arguments = (str(_python(cache, say)), "-I", str(Path(__file__).with_name("gym_script.py")), str(SEED))
        made = subprocess.run((*arguments, f"{family}={count}"), check=True, capture_output=True, text=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made.stdout, encoding="utf-8")
    return [_question(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _python(cache: Path, say: Callable[[str], None]) -> Path:
    folder = cache / f"reasoning-gym-{GYM}"
    python, complete = folder / "bin" / "python", folder / ".installed"
    if not complete.exists():
        say(f"installing reasoning-gym {GYM} in {folder}")
        subprocess.run((sys.executable, "-m", "venv", str(folder)), check=True, capture_output=True, text=True)
        install = (str(python), "-m", "pip", "install", "--quiet", f"reasoning-gym=={GYM}")
        subprocess.run(install, check=True, capture_output=True, text=True)
        complete.touch()
    return python


def _question(line: str) -> Question:
    made = json.loads(line)
    family = made["family"]
    return Question(
        id=f"gym/{family}/{made['number']:03}",
        question=made["question"].strip(),
        answer=made["answer"],
        kind="puzzle",
        answer_type="yes-no" if family in _YES_NO else "number",
        subtask=family,
    )
