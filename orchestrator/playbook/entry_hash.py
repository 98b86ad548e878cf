"""An entry as a Redis hash: what never changes as JSON, and every count in a field of its own, to be added to."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.playbook.entry import Entry, Evidence, Status

_ALONE = ("alone_wins", "alone_trials")
_COUNTED = {"status", "pinned", "wins", "trials", "tokens", "cost", *_ALONE, "evidence", "used", "provenance"}
_WORTH: Mapping[Status, float] = {"promoted": 1.0, "candidate": 0.0, "disabled": -0.5, "demoted": -1.0}


def to_hash(entry: Entry) -> dict[str, str]:
    evidence = entry.evidence
    return {
        "definition": definition(entry),
        "status": entry.status,
        "pinned": "1" if entry.pinned else "0",
        "wins": str(entry.wins),
        "trials": str(entry.trials),
        "tokens": str(entry.tokens),
        "cost": str(entry.cost),
        "alone_wins": str(entry.alone_wins),
        "alone_trials": str(entry.alone_trials),
        "used": str(entry.used),
        "provenance": json.dumps(list(entry.provenance)) if entry.provenance else "[]",
        "edge": str(evidence.edge),
        "compared": str(evidence.compared),
        **{f"gain{index}": str(value) for index, value in enumerate(evidence.gains)},
        **{f"loss{index}": str(value) for index, value in enumerate(evidence.losses)},
        **{f"pool{index}": str(value) for index, value in enumerate(evidence.pooled)},
    }


def from_hash(stored: Mapping[bytes, bytes]) -> Entry:
    fields = {name.decode(): value.decode() for name, value in stored.items()}
    evidence = Evidence(
        gains=tuple(_numbered(fields, "gain")),
        losses=tuple(_numbered(fields, "loss")),
        pooled=tuple(_numbered(fields, "pool")),
        edge=_number(fields, "edge"),
        compared=max(0, round(_number(fields, "compared"))),
    )
    trials, alone = (max(0, round(_number(fields, name))) for name in ("trials", "alone_trials"))
    counted: dict[str, Any] = {
        "status": fields["status"],
        "pinned": fields["pinned"] == "1",
        # What is taken back after the entry began anew leaves less than nothing, or wins of no trial.
        "wins": min(max(0.0, _number(fields, "wins")), trials),
        "trials": trials,
        "tokens": max(0, round(_number(fields, "tokens"))),
        "cost": max(0.0, _number(fields, "cost")),
        "alone_wins": min(max(0.0, _number(fields, "alone_wins")), alone),
        "alone_trials": alone,
        "used": _number(fields, "used"),
        "provenance": json.loads(fields["provenance"]),
        "evidence": evidence,
    }
    return Entry.model_validate({**json.loads(fields["definition"]), **counted})


def definition(entry: Entry) -> str:
    """All of an entry that outcomes do not change."""
    return entry.model_dump_json(exclude=_COUNTED)


def attributes(entry: Entry, status: Status | None = None) -> str:
    """What a search filters by, for Redis; as it would be in another ``status``."""
    return json.dumps(
        {"pair": entry.pair, "version": entry.version, "topic": entry.topic, "status": status or entry.status},
        separators=(",", ":"),
    )


def standing(entry: Entry) -> str:
    """What the entry's status says, for each that it may have by the time a script looks: the attributes, and what it
    is worth without its win rate."""
    return json.dumps({status: {"attributes": attributes(entry, status), "worth": _WORTH[status]} for status in _WORTH})


def worth(entry: Entry) -> float:
    """What goes first when there is no room: demoted entries, then those that were right least often."""
    return _WORTH[entry.status] + entry.win_rate


def filter_of(statuses: Sequence[Status] = (), **equal: str) -> str:
    """An expression for ``VSIM … FILTER``: attributes equal to these; empty where nothing is asked for."""
    terms = [f".{name} == {json.dumps(value)}" for name, value in equal.items()]
    if statuses:
        terms.append(f".status in {json.dumps(list(statuses))}")
    return " and ".join(terms)


def _numbered(fields: Mapping[str, str], name: str) -> Iterator[float]:
    index = 0
    while f"{name}{index}" in fields:
        yield float(fields[f"{name}{index}"])
        index += 1


def _number(fields: Mapping[str, str], name: str) -> float:
    return float(fields.get(name, "0"))
