"""The toolbox: what is not allowed is not called, and whatever goes wrong is said."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import ENOUGH
from tools.dates import Dates
from tools.documents import index
from tools.documents.index import DocumentIndex
from tools.documents.search import SearchDocuments
from tools.protocol import ToolResult
from tools.toolbox import Toolbox
from tools.units import ConvertUnits


class Echo:
    """Says what it was called with, and counts."""

    description = "Echo."
    schema: Mapping[str, Any] = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}

    def __init__(self, name: str = "echo") -> None:
        self.name = name
        self.calls = 0

    async def call(self, arguments: Mapping[str, Any]) -> ToolResult:
        self.calls += 1
        return ToolResult(arguments["text"])


async def test_only_allowed_tools_are_shown_and_called() -> None:
    mine, other = Echo("files__read"), Echo("mail__send")
    toolbox = Toolbox([mine, other], ["files__*"])
    assert [tool["function"]["name"] for tool in toolbox.openai()] == ["files__read"]
    refused = await toolbox.call("mail__send", '{"text": "x"}')
    assert not refused.ok
    assert "files__read" in refused.text
    assert other.calls == 0
    assert toolbox.with_tools([other]).names == ("files__read",)
    assert Toolbox([mine], []).names == ()


@pytest.mark.parametrize("arguments", ["{", "[]", "{}", '{"text": 3}', "[" * 100_000])
async def test_arguments_that_do_not_fit_are_refused_in_words(arguments: str) -> None:
    echo = Echo()
    result = await Toolbox([echo]).call("echo", arguments)
    assert (result.ok, echo.calls) == (False, 0)
    assert "arguments" in result.text


class Broken(Echo):
    async def call(self, arguments: Mapping[str, Any]) -> ToolResult:
        raise ConnectionResetError("the line is dead")


async def test_a_tool_that_raises_is_a_result_that_says_so() -> None:
    result = await Toolbox([Broken()]).call("echo", '{"text": "x"}')
    assert not result.ok
    assert "the line is dead" in result.text


async def test_a_long_result_keeps_its_ends() -> None:
    result = await Toolbox([Echo()]).call("echo", '{"text": "%s"}' % ("a" + "x" * 50_000 + "z"))
    assert len(result.text) < 7_000
    assert result.text[0] + result.text[-1] == "az"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"value": 20, "from_unit": "degC", "to_unit": "degF"}', "= 68 degF"),
        ('{"value": 2, "from_unit": "m/s", "to_unit": "km/h"}', "= 7.2 km/h"),
        ('{"value": 1, "from_unit": "kg m^2/s^2", "to_unit": "J"}', "= 1 J"),
        ('{"value": 1, "from_unit": "m", "to_unit": "s"}', "cannot convert"),
        (f'{{"value": 1{"0" * 400}, "from_unit": "m", "to_unit": "km"}}', "too large"),
        ('{"value": 1, "from_unit": "m**9**9**9", "to_unit": "km"}', "no unit"),
        ('{"value": 1, "from_unit": "__import__(\'os\')", "to_unit": "km"}', "no unit"),
    ],
)
async def test_units(arguments: str, expected: str) -> None:
    assert expected in (await Toolbox([ConvertUnits()]).call("convert_units", arguments)).text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"start": "2024-02-28", "until": "2025-03-01"}', "367 days (1 years, 0 months, 1 days)"),
        ('{"start": "2024-01-31", "months": 1}', "2024-02-29, Thursday"),
        ('{"start": "2024-03-01", "days": -1}', "2024-02-29"),
        ('{"start": "yesterday"}', "YYYY-MM-DD"),
        ('{"start": "9999-12-31", "days": 1}', "YYYY-MM-DD"),
    ],
)
async def test_dates(arguments: str, expected: str) -> None:
    assert expected in (await Toolbox([Dates()]).call("date", arguments)).text


async def test_documents_are_found_by_their_words_and_changes_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_FRESH_SECONDS", 0.0)
    folder, outside = tmp_path / "documents", tmp_path / "secret.txt"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "moons.md").write_text("Europa orbits Jupiter.\n\n" + "Other moons exist. " * 200)
    (folder / "tea.txt").write_text("Tea is brewed with water.")
    outside.write_text("the password is swordfish")
    (folder / "link.txt").symlink_to(outside)
    toolbox = Toolbox([SearchDocuments(DocumentIndex(folder, tmp_path / "index.sqlite"))])
    found = await toolbox.call("search_documents", '{"query": "which moon orbits jupiter?"}')
    assert "[deep/moons.md]" in found.text
    assert "Europa" in found.text
    assert "no document" in (await toolbox.call("search_documents", '{"query": "swordfish password"}')).text
    (folder / "tea.txt").write_text("Coffee is brewed with water.")
    (folder / "deep" / "moons.md").unlink()
    assert "Coffee" in (await toolbox.call("search_documents", '{"query": "brewed"}')).text
    assert "no document" in (await toolbox.call("search_documents", '{"query": "Europa"}')).text
    # FTS5's own syntax is only words here.
    assert (await toolbox.call("search_documents", '{"query": "water\\" OR NEAR( * -"}')).ok


async def test_a_unit_of_nothing_but_blanks_is_no_trap() -> None:
    units = Toolbox([ConvertUnits()])
    started = time.process_time()
    arguments = f'{{"value": 1, "from_unit": "m{"  m" * 19}!", "to_unit": "km"}}'
    result = await units.call("convert_units", arguments)
    assert not result.ok and time.process_time() - started < ENOUGH
