"""What may be written where in the settings, for messages about what may not."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel


def allowed_keys(model: type[BaseModel], path: Sequence[str]) -> list[str] | None:
    """The keys of the section at ``path``; None where any name may stand, or where no section is."""
    annotation: Any = model
    for key in path:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(key)
            if field is None:
                return None
            annotation = field.annotation
        elif get_origin(annotation) is dict:
            annotation = get_args(annotation)[1]
        else:
            return None
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return list(annotation.model_fields)
    return None


def unknown_key(model: type[BaseModel], path: Sequence[str]) -> str:
    """One sentence about a key that does not exist: the nearest one, else all that do."""
    allowed = allowed_keys(model, path[:-1])
    if not allowed:
        return "there is no such key"
    return f"there is no such key; {nearest(path[-1], allowed)}"


def nearest(written: str, allowed: Iterable[str]) -> str:
    """What may have been meant, and everything that is allowed."""
    names = list(allowed)
    near = difflib.get_close_matches(written, names, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}Allowed here: {', '.join(names)}"
