"""The shape of ``bench/results/NAME.json``; other programs read it, so it is part of the interface."""

import datetime
import os
import platform
import subprocess
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.settings import Settings
from workers.usage import Usage


class Row(BaseModel):
    """One system on one data set. ``cost`` is relative to the large model's ``cot`` on the same questions; ``seconds``
    is the time the engines took for these generations when they were made: the sum over generations, from the request
    to the last token. Those side by side count each, and programs and whatever else is not generating do not."""

    model_config = ConfigDict(frozen=True)

    system: str
    setting: str
    dataset: str
    n: int
    seeds: list[int]
    accuracy: float
    ci95: tuple[float, float]
    tokens: dict[str, Usage]
    large_share: float
    cost: float | None
    seconds: float
    extra: dict[str, float] = {}


class Aim(BaseModel):
    model_config = ConfigDict(frozen=True)

    aim: str
    target: str
    measured: str
    reached: bool
    why: str


class ReportHead(BaseModel):
    """What every report says, whatever its rows are."""

    bench: str
    created: str = Field(default_factory=lambda: datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    commit: str = Field(default_factory=lambda: _commit())
    machine: str = Field(default_factory=lambda: machine())
    models: list[dict[str, str]]
    aims: list[Aim]


class Report(ReportHead):
    rows: list[Row]


def new_report(bench: str, settings: Settings, rows: list[Row], aims: list[Aim]) -> Report:
    return Report(
        bench=bench,
        models=models_of(settings),
        rows=rows,
        aims=aims,
    )


def models_of(settings: Settings) -> list[dict[str, str]]:
    """What a report says of the configured models."""
    return [{"role": model.role, "name": name, "sha256": model.sha256} for name, model in settings.models.items()]


def write_report(report: ReportHead, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report.bench}.json"
    path.write_bytes(orjson.dumps(report.model_dump(mode="json"), option=orjson.OPT_INDENT_2))
    return path


def machine() -> str:
    """For example "2 cores AMD EPYC, 24 GiB", and the GPUs that there are: "…, NVIDIA H100 80GB HBM3"."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    name = names[0].split(":", 1)[1].strip() if names else platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return ", ".join([f"{os.cpu_count()} cores {name}", f"{memory:.0f} GiB", *_gpus()])


def _gpus() -> list[str]:
    """NVIDIA's, by their driver's own tool; none where it is not there."""
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return answer.stdout.split("\n")[:-1]


def _commit() -> str:
    try:
        answer = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return answer.stdout.strip()
