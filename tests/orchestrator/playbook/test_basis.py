"""What an entry's evidence is bound to, and what may change without it."""

from importlib import resources
from typing import Any

import pytest

from orchestrator.playbook import basis
from orchestrator.playbook.basis import version_of
from orchestrator.settings import Settings
from orchestrator.settings_file import load_settings


@pytest.fixture
def settings() -> Settings:
    return load_settings(environment={})


def _changed(settings: Settings, section: str, **fields: Any) -> Settings:
    return settings.model_copy(update={section: getattr(settings, section).model_copy(update=fields)})


@pytest.mark.parametrize(
    ("section", "fields"),
    [
        ("auto", {"ladders": {"medium": ("cot(small)",)}}),
        ("auto", {"choosing": {"medium": ("cot(large)",)}}),
        ("auto", {"accept_logprob": {"medium": -0.3}}),
        ("auto", {"agreeing": 3}),
        ("auto", {"step_tokens": 2048}),
        ("strategies", {"verifier": "judge"}),
        ("consensus", {"voter": "small"}),
    ],
)
def test_other_routes_or_other_thresholds_make_another_default(
    settings: Settings, section: str, fields: dict[str, Any]
) -> None:
    assert version_of(_changed(settings, section, **fields)) != version_of(settings)


@pytest.mark.parametrize(
    ("section", "fields"),
    [
        ("auto", {"ask": False, "ask_weak": 0.9, "code": ("code(large)",)}),
        ("gateway", {"port": 1}),
        ("playbook", {"shadow": 5}),
        ("sandbox", {"cpu_seconds": 1}),
    ],
)
def test_what_has_no_part_in_an_answer_that_can_be_compared_makes_none(
    settings: Settings, section: str, fields: dict[str, Any]
) -> None:
    assert version_of(_changed(settings, section, **fields)) == version_of(settings)


@pytest.mark.parametrize(
    ("prompt", "counts"), [("program.md", True), ("examples.md", True), ("clarify.md", False), ("ask_tool.md", False)]
)
def test_only_prompts_that_such_answers_are_written_with_count(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, prompt: str, counts: bool
) -> None:
    before = version_of(settings)
    real = resources.files("agents").joinpath("prompts")

    class Edited:
        """The folder of prompts with one of them in other words."""

        def joinpath(self, _: str) -> "Edited":
            return self

        def iterdir(self) -> list[Any]:
            return [_Other(prompt) if file.name == prompt else file for file in real.iterdir()]

    monkeypatch.setattr(basis.resources, "files", lambda _: Edited())
    assert (version_of(settings) != before) is counts


def test_every_prompt_that_does_not_count_is_there() -> None:
    there = {file.name for file in resources.files("agents").joinpath("prompts").iterdir()}
    assert there > basis._OTHER_PROMPTS


class _Other:
    def __init__(self, name: str) -> None:
        self.name = name

    def read_text(self, encoding: str) -> str:
        return "In other words: {{ question }}"
