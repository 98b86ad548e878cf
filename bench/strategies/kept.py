"""What earlier runs measured: the plan takes many hours, so a report is made piece by piece."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console

from bench.record import models_of
from bench.strategies.report import StrategiesReport, StrategyRow
from bench.strategies.trials import KINDS
from orchestrator.settings import Settings

NAME = "strategies"


class EarlierUnreadable(Exception):
    """There is a report, and it cannot be read; the message says what to do about it."""


def earlier_rows(folder: Path, settings: Settings, console: Console, name: str = NAME) -> list[StrategyRow]:
    """The rows of the report ``name`` in ``folder``, each with the commit and the time of the run that measured it;
    none where it is of other models. Raises ``EarlierUnreadable``."""
    path = folder / f"{name}.json"
    if not path.exists():
        return []
    try:
        report = StrategiesReport.model_validate_json(path.read_bytes())
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"])) or "the file"
        raise EarlierUnreadable(
            f"{path}, whose rows this run would keep, is no report ({place}: {fault['msg']}); move it away, or give "
            "--fresh to write it anew"
        ) from error
    if report.models != models_of(settings):
        console.print(f"  {path} is of other models: none of its {len(report.rows)} rows are kept")
        return []
    console.print(f"  {path}: of its {len(report.rows)} rows those are kept that are not measured now")
    return [_stamped(row, report) for row in report.rows]


def merged(earlier: Sequence[StrategyRow], measured: Sequence[StrategyRow]) -> list[StrategyRow]:
    """``earlier`` rows of what was not ``measured`` now, and those that were, in the order of the plan's data sets."""
    again = {(row.dataset, row.system) for row in measured}
    rows = [*(row for row in earlier if (row.dataset, row.system) not in again), *measured]
    order = [kind.dataset for kind in KINDS]
    return sorted(rows, key=lambda row: order.index(row.dataset) if row.dataset in order else len(order))


def _stamped(row: StrategyRow, report: StrategiesReport) -> StrategyRow:
    """Rows of a time when a report was of one run have its commit and time."""
    return row.model_copy(update={"commit": row.commit or report.commit, "created": row.created or report.created})
