"""Questions from reasoning-gym: families of puzzles with answers, the same ones for the same seed.

``python -m bench.gym_questions DIR FAMILY:ROWS …`` writes them as question files, for what reads a folder of these.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.questions import NoQuestions, Question
from orchestrator.settings_file import SettingsInvalid, load_settings

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


def main() -> None:
    """Write question files of reasoning-gym's families."""
    parser = argparse.ArgumentParser(prog="python -m bench.gym_questions", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="where FAMILY.jsonl go")
    parser.add_argument("families", nargs="+", type=_wanted, metavar="FAMILY:ROWS", help="as in gcd:30")
    options = parser.parse_args()
    try:
        made = gym_questions(load_settings().storage.models.parent, dict(options.families), print)
    except (NoQuestions, SettingsInvalid) as error:
        sys.exit(str(error))
    options.folder.mkdir(parents=True, exist_ok=True)
    for family, questions in made.items():
        path = options.folder / f"{family}.jsonl"
        path.write_text("".join(f"{question.model_dump_json()}\n" for question in questions), encoding="utf-8")
        print(f"{path}: {len(questions)} questions")


def _wanted(argument: str) -> tuple[str, int]:
    family, _, rows = argument.partition(":")
    if not family or not rows.isdigit():
        raise argparse.ArgumentTypeError(f"{argument!r} is not FAMILY:ROWS, as in gcd:30")
    return family, int(rows)


if __name__ == "__main__":
    main()
