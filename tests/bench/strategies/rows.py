"""Questions and rows of the strategies' benchmark, made up."""

from pathlib import Path
from typing import Any

import orjson

from bench.questions import Question
from bench.record import Aim
from bench.strategies.aims import aims_of
from bench.strategies.report import StrategyRow

QUESTIONS = [
    {"id": "x/1", "question": "What is 2 + 2?", "answer": "4", "kind": "math", "answer_type": "number", "level": 2},
    {"id": "x/2", "question": "What is 2 + 3?", "answer": "5", "kind": "math", "answer_type": "number", "level": 5},
]


def write_questions(folder: Path, name: str) -> None:
    (folder / f"{name}.jsonl").write_bytes(b"\n".join(orjson.dumps(row) for row in QUESTIONS))


def question_with(**fields: object) -> Question:
    row = {"id": "x", "question": "?", "answer": "", "kind": "code", "answer_type": "code", **fields}
    return Question.model_validate(row)


def strategy_row(
    system: str, accuracy: float, cost: float | None, dataset: str = "gsm8k_test", **fields: Any
) -> StrategyRow:
    row = StrategyRow(
        system=system,
        setting="",
        dataset=dataset,
        n=40,
        seeds=[0],
        accuracy=accuracy,
        ci95=(0.4, 0.7),
        tokens={},
        large_share=0.0,
        cost=cost,
        seconds=0.0,
        extra={"tokens_per_question": 1.0, "chain_tokens": 1.0},
    )
    return row.model_copy(update=fields)


def aim_among(start: str, *rows: StrategyRow) -> Aim:
    return next(aim for aim in aims_of(rows, "small", "large") if aim.aim.startswith(start))
