"""Versions of the learned router in a folder: which there are, which one serves, and the way back."""

import json
import math
import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from routers.estimators.protocol import Estimator, State
from routers.estimators.restore import restored
from routers.familiarity import Familiarity
from routers.route import Effort

_ACTIVE = "active.json"


class VersionError(Exception):
    """A version cannot be read or put in service; the message says why and what to do."""


class Judged(BaseModel):
    """A version at one ``effort``'s price on questions that it had not seen, beside the constant route that is best
    there in hindsight. ``difference``: in value (success − price · cost), with its 95 % interval, paired;
    ``headroom``: the share of the oracle's gain over the constant."""

    model_config = ConfigDict(frozen=True)

    effort: Effort
    price: float
    accuracy: float
    cost: float
    constant: str
    constant_accuracy: float
    constant_cost: float
    oracle_accuracy: float
    difference: float
    interval: tuple[float, float]
    headroom: float

    @property
    def beats(self) -> bool:
        return self.interval[0] > 0


class RouterCard(BaseModel):
    """What a version says of itself. ``small`` and ``large``: sha256 of the models it was trained for. ``data``: sha256
    of the outcomes it learned from. ``judged`` at every price that is finite; the first one decides. ``added``: routes
    learned afterwards from a handful of outcomes, without which it was judged."""

    model_config = ConfigDict(frozen=True)

    id: str
    created: str
    kind: str
    small: str
    large: str
    data: str
    seed: int
    folds: int
    routes: tuple[str, ...]
    added: tuple[str, ...] = ()
    questions: int
    judged_on: int
    families: dict[str, int]
    fallback: str
    brier: float
    brier_constant: float
    judged: tuple[Judged, ...]

    @property
    def beats(self) -> bool:
        """Whether there is paired evidence on held-out questions that it is better than the best constant."""
        return bool(self.judged) and self.judged[0].beats

    def prices(self, current: Mapping[Effort, float]) -> dict[Effort, float]:
        """Those of ``current`` at which it was judged to be better than the best constant; infinite elsewhere, where
        it has no say."""
        proven = {one.effort: one.price for one in self.judged if one.beats}
        return {effort: price if proven.get(effort) == price else math.inf for effort, price in current.items()}

    def refuse_other_pair(self, small: str, large: str) -> None:
        """Raises ``VersionError`` unless the models have these sha256; what has none could be any model."""
        if not small or not large or (self.small, self.large) != (small, large):
            raise VersionError(
                f"version {self.id} was trained for the models with sha256 {self.small} and {self.large}, not for "
                f"{small or 'unknown'} and {large or 'unknown'}; train one with `tandem train router`"
            )

    def verdict(self) -> str:
        """One sentence on whether it may serve and why."""
        if not self.judged:
            return "it was not judged, because no question was tried on every route"
        one = self.judged[0]
        low, high = one.interval
        figures = (
            f"{one.difference:+.3f} [{low:+.3f}, {high:+.3f}] in value against {one.constant} at effort {one.effort}, "
            f"n = {self.judged_on}, paired, held out"
        )
        return f"it beats the best constant: {figures}" if one.beats else f"no evidence that it is better: {figures}"


class _Active(BaseModel):
    model_config = ConfigDict(frozen=True)

    active: str | None = None
    before: tuple[str | None, ...] = ()


class RouterShelf:
    """A folder with one folder a version and a file that names the one in service. Files are read and written: call it
    off the event loop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, card: RouterCard, estimator: Estimator, familiarity: Familiarity, keys: frozenset[str]) -> Path:
        """``keys``: the split keys of the questions it was trained on. Raises ``VersionError``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        target = self.folder / card.id
        if target.exists():
            raise VersionError(f"there is a version {card.id} in {self.folder} already; train again")
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".new-") as made:
            part = Path(made) / card.id
            part.mkdir()
            (part / "card.json").write_text(card.model_dump_json(indent=1) + "\n")
            _write_state(part / "estimator", estimator.state())
            _write_state(part / "familiarity", familiarity.state())
            (part / "questions.json").write_bytes(orjson.dumps(sorted(keys)))
            # Whole or not at all.
            part.rename(target)
        return target

    def versions(self) -> list[RouterCard]:
        """By age, the oldest first. Raises ``VersionError``."""
        return [self.card(path.parent.name) for path in sorted(self.folder.glob("[!.]*/card.json"))]

    def card(self, version: str) -> RouterCard:
        """Raises ``VersionError``."""
        if Path(version).name != version or not (self.folder / version / "card.json").is_file():
            known = ", ".join(path.parent.name for path in sorted(self.folder.glob("[!.]*/card.json")))
            raise VersionError(f"there is no version {version!r} in {self.folder}; known: {known or 'none'}")
        try:
            return RouterCard.model_validate_json((self.folder / version / "card.json").read_bytes())
        except ValidationError as error:
            raise VersionError(f"the card of version {version} cannot be read: {error}; train another") from error

    def load(self, version: str) -> tuple[RouterCard, Estimator, Familiarity]:
        """Raises ``VersionError``."""
        card = self.card(version)
        try:
            estimator = restored(_read_state(self.folder / version / "estimator"))
            familiarity = Familiarity.restored(_read_state(self.folder / version / "familiarity"))
        except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise VersionError(f"version {version} cannot be read ({error!r}); train another") from error
        return card, estimator, familiarity

    def keys(self, version: str) -> frozenset[str]:
        """The split keys of the questions that a version was trained on. Raises ``VersionError``."""
        self.card(version)
        try:
            return frozenset(orjson.loads((self.folder / version / "questions.json").read_bytes()))
        except (OSError, ValueError) as error:
            raise VersionError(f"the questions of version {version} cannot be read ({error}); train another") from error

    def active(self) -> str | None:
        """The version in service; None: the constant policy serves. Raises ``VersionError``."""
        return self._read().active

    def activate(self, version: str, small: str, large: str) -> RouterCard:
        """Put a version in service. Raises ``VersionError`` for one without evidence that it beats the best constant,
        or of another pair of models."""
        card = self.card(version)
        card.refuse_other_pair(small, large)
        if not card.beats:
            raise VersionError(
                f"version {version} is not put in service: {card.verdict()}. The policy without it goes on serving; "
                "collect more outcomes with `tandem bench collect` and train again"
            )
        now = self._read()
        if now.active != version:
            self._write(_Active(active=version, before=(*now.before, now.active)))
        return card

    def rollback(self) -> str | None:
        """Back to what served before the last activation; returns it. Raises ``VersionError`` if there is nothing to
        go back to."""
        now = self._read()
        if not now.before:
            raise VersionError(f"no version was ever put in service in {self.folder}, so there is nothing to roll back")
        self._write(_Active(active=now.before[-1], before=now.before[:-1]))
        return now.before[-1]

    def _read(self) -> _Active:
        path = self.folder / _ACTIVE
        if not path.is_file():
            return _Active()
        try:
            return _Active.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise VersionError(f"{path} cannot be read: {error}; remove it, and no learned router serves") from error

    def _write(self, active: _Active) -> None:
        part = self.folder / f".{_ACTIVE}.{os.getpid()}"
        part.write_text(active.model_dump_json())
        part.replace(self.folder / _ACTIVE)


def _write_state(path: Path, state: State) -> None:
    head = orjson.dumps({"kind": state.kind, "values": state.values}).decode()
    with path.with_suffix(".npz").open("wb") as file:
        np.savez_compressed(file, **state.arrays, __head__=np.asarray(head))  # type: ignore[arg-type]


def _read_state(path: Path) -> State:
    # numpy leaves a file open that it cannot read.
    with path.with_suffix(".npz").open("rb") as file, np.load(file, allow_pickle=False) as stored:
        head = json.loads(str(stored["__head__"]))
        return State(head["kind"], head["values"], {name: stored[name] for name in stored.files if name != "__head__"})
