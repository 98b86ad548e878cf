"""The prompts of the guide and the consolidator: ``NAME.md`` beside this module, with strict Jinja variables."""

from importlib import resources

import jinja2


def render(name: str, **values: str) -> str:
    """The prompt ``NAME.md`` with its variables filled in; raises ``jinja2.UndefinedError`` when one is missing."""
    source = resources.files(__name__).joinpath(f"{name}.md").read_text(encoding="utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    return environment.from_string(source).render(**values).strip()
