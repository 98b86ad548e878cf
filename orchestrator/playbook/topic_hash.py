"""A topic as a Redis hash, every count in a field of its own."""

from collections.abc import Mapping
from typing import cast

from agents.problem import AnswerForm
from orchestrator.playbook.entry import KINDS, Topic


def topic_from_hash(stored: Mapping[bytes, bytes]) -> Topic:
    fields = {name.decode(): value.decode() for name, value in stored.items()}
    writers = {
        name: (_of(fields, "writer", name, 0), round(_of(fields, "writer", name, 1)))
        for name in _named(fields, "writer")
    }
    routes = {
        name: (_of(fields, "route", name, 0), round(_of(fields, "route", name, 1)), _of(fields, "route", name, 2))
        for name in _named(fields, "route")
    }
    return Topic(
        id=fields["id"],
        owner=fields["owner"],
        problem=fields.get("problem", ""),
        form=cast(AnswerForm, fields["form"]),
        seen=round(float(fields.get("seen", 0))),
        wins=float(fields.get("wins", 0)),
        trials=round(float(fields.get("trials", 0))),
        tokens=round(float(fields.get("tokens", 0))),
        cost=float(fields.get("cost", 0)),
        writers=writers,
        routes=routes,
        candidates={kind: int(fields.get(f"candidates:{kind}", 0)) for kind in KINDS},
        created=float(fields["created"]),
        used=float(fields.get("used", fields["created"])),
    )


def counted(kind: str, name: str, *amounts: float) -> dict[str, float]:
    """Fields of a topic's hash that count for a model (``writer``) or a route, with what is added to them."""
    return {f"{kind}:{index}:{name}": amount for index, amount in enumerate(amounts)}


def _named(fields: Mapping[str, str], kind: str) -> list[str]:
    begin = f"{kind}:1:"
    return sorted(field.removeprefix(begin) for field in fields if field.startswith(begin))


def _of(fields: Mapping[str, str], kind: str, name: str, index: int) -> float:
    return float(fields.get(f"{kind}:{index}:{name}", 0))
