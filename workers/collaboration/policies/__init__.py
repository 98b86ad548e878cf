"""The policies by name. A new file here is a new policy; nothing else has to be told."""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import cast

from pydantic import ValidationError

from workers.collaboration.policy import Policy, PolicyKind, PolicyOptions, Resources
from workers.collaboration.protocol import UnknownPolicy


def policy_names() -> tuple[str, ...]:
    """Every policy there is, in alphabetical order."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def policy_kind(name: str) -> PolicyKind:
    """The policy's class. Raises ``UnknownPolicy``."""
    if name not in policy_names():
        raise UnknownPolicy(f"there is no policy {name!r}; choose one of {', '.join(policy_names())}")
    module = importlib.import_module(f"{__name__}.{name}")
    return next(cast(PolicyKind, item) for item in vars(module).values() if getattr(item, "name", None) == name)


def policy_options(name: str, options: Mapping[str, object]) -> PolicyOptions:
    """The policy's options, ``options`` over its defaults. Raises ``UnknownPolicy`` naming what is wrong."""
    model = policy_kind(name).Options
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        known = ", ".join(f"{field} ({info.default})" for field, info in model.model_fields.items()) or "none"
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or name}: {e['msg']}" for e in error.errors())
        raise UnknownPolicy(
            f"policy {name!r} has no such option or value ({wrong}); its options are: {known}"
        ) from error


def build_policy(name: str, options: Mapping[str, object], resources: Resources = Resources()) -> Policy:
    """A policy for one answer. Raises ``UnknownPolicy``."""
    return policy_kind(name)(policy_options(name, options), resources)
