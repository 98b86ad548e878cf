"""``tandem playbook`` as typed, over the real Redis."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import Result
from redis.asyncio import Redis
from typer.testing import CliRunner

from orchestrator.playbook.entries import Entries
from orchestrator.playbook.entry import Entry, Recipe, Worked
from orchestrator.playbook.jsonl import line_of
from orchestrator.playbook.topics import Topics
from orchestrator.runs import SINGLE_USER
from routers.embedding import WordEmbedder
from tests import processes
from tests.orchestrator.playbook.building import behaviour, recipe
from web.cli.playbook import app

Command = Callable[..., Result]
APPLES = "How many apples are 3 and 4 apples?"
NONE = recipe(SINGLE_USER).model_dump(mode="json", exclude={"owner"})
WOLVES = "Wren is a wumpus. Every wumpus is not shy. True or false: Wren is shy."


@pytest.fixture
def command(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("TANDEM__STORAGE__DIRECTORY", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "220")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return run


def keep(redis_url: str, entries: Sequence[Entry]) -> None:
    async def put() -> None:
        client = Redis.from_url(redis_url, socket_timeout=None)
        await client.flushdb()
        for entry in entries:
            await Entries(client, WordEmbedder()).put(entry)
        await client.aclose()

    asyncio.run(put())


def write(*entries: Entry) -> str:
    file = Path("written.jsonl")
    file.write_text("".join(line_of(entry) for entry in entries))
    return str(file)


def test_entries_are_listed_searched_and_shown(command: Command, redis_url: str) -> None:
    apples = recipe(SINGLE_USER, problem=APPLES, status="promoted", wins=9.0, trials=10, tokens=1200)
    wolves = behaviour(SINGLE_USER, name="negate_last", text="Apply every [red]not[/red] last.", problem=WOLVES)
    keep(redis_url, [apples, wolves])
    listed = command("list").stdout
    assert apples.id[:8] in listed
    assert "9 of 10" in listed
    assert "negate_last" in listed
    assert "negate_last" not in command("list", "--status", "promoted").stdout
    assert [kind in command("list", "--kind", kind).stdout for kind in ("recipe", "behaviour", "example")] == [
        True,
        True,
        False,
    ]
    found = command("search", "How many pears are 5 and 6 pears?").stdout
    assert found.index(apples.id[:8]) < found.index(wolves.id[:8])
    shown = command("show", wolves.id[:10]).stdout
    assert "Apply every [red]not[/red] last." in shown
    assert WOLVES in shown


def test_an_entry_is_pinned_disabled_and_deleted(command: Command, redis_url: str) -> None:
    entry = recipe(SINGLE_USER, status="promoted", wins=9.0, trials=10)
    keep(redis_url, [entry])
    assert "is pinned" in command("pin", entry.id[:8]).stdout
    assert "is disabled" in command("disable", entry.id).stdout
    assert "disabled, pinned" in command("list").stdout
    assert "no longer pinned" in command("pin", entry.id, "--off").stdout
    assert "is candidate" in command("disable", entry.id, "--off").stdout
    assert "not tried" in command("list").stdout
    assert command("delete", entry.id).exit_code == 0
    assert entry.id[:8] not in command("list").stdout


def test_an_export_is_imported_by_another_owner(command: Command, redis_url: str, tmp_path: Path) -> None:
    entries = [recipe(SINGLE_USER, wins=3.0, trials=4, status="promoted"), behaviour(SINGLE_USER)]
    keep(redis_url, entries)
    assert command("export", "kept.jsonl").exit_code == 0
    assert command("export").stdout == (tmp_path / "kept.jsonl").read_text()
    assert "2 entries imported" in command("import", "kept.jsonl", "--owner", "key_b").stdout
    assert "3 of 4" in command("show", entries[0].id, "--owner", "key_b").stdout
    assert command("import", "kept.jsonl", "--owner", "key_c", "--anew").exit_code == 0
    anew = command("show", entries[0].id, "--owner", "key_c").stdout
    assert "not tried" in anew
    assert "candidate" in anew


def test_a_redis_that_lost_everything_is_filled_again_from_the_database(command: Command, redis_url: str) -> None:
    keep(redis_url, [])
    assert command("import", write(recipe(SINGLE_USER, wins=3.0, trials=4))).exit_code == 0
    keep(redis_url, [])  # empties Redis
    assert "nothing there yet" in command("list").stderr
    assert f"{SINGLE_USER}: 1 entries" in command("rebuild").stdout
    assert "3 of 4" in command("list").stdout
    assert "key_b: 0 entries" in command("rebuild", "--owner", "key_b").stdout


def test_what_another_owner_imported_is_that_owners_own(command: Command, redis_url: str) -> None:
    entry = recipe(SINGLE_USER, wins=3.0, trials=4, status="promoted")
    keep(redis_url, [])
    assert command("import", write(entry)).exit_code == 0
    assert command("export", "kept.jsonl").exit_code == 0
    assert command("import", "kept.jsonl", "--owner", "key_b", "--anew").exit_code == 0
    keep(redis_url, [])  # empties Redis
    assert "key_b: 1 entries" in command("rebuild", "--owner", "key_b").stdout
    assert f"{SINGLE_USER}: 1 entries" in command("rebuild", "--owner", SINGLE_USER).stdout
    for _ in range(2):
        assert "3 of 4" in command("show", entry.id).stdout
        assert "not tried" in command("show", entry.id, "--owner", "key_b").stdout
        command("rebuild")
    assert command("delete", entry.id, "--owner", "key_b").exit_code == 0
    assert command("rebuild").stdout.splitlines() == [f"{SINGLE_USER}: 1 entries and 0 runs"]


def test_where_the_database_has_nothing_redis_is_left_alone(command: Command, redis_url: str) -> None:
    entry = recipe("key_b")
    keep(redis_url, [entry])
    assert "key_b: 0 entries" in command("rebuild", "--owner", "key_b").stdout
    assert entry.id in command("show", entry.id, "--owner", "key_b").stdout


def test_what_expired_before_the_loss_does_not_come_back(command: Command, redis_url: str) -> None:
    keep(redis_url, [])
    long_ago = time.time() - 200 * 86_400
    old, pinned = recipe(SINGLE_USER, used=long_ago), recipe(SINGLE_USER, used=long_ago, pinned=True)
    assert command("import", write(old, pinned)).exit_code == 0
    keep(redis_url, [])
    assert f"{SINGLE_USER}: 1 entries" in command("rebuild").stdout
    assert command("show", pinned.id).exit_code == 0
    assert command("show", old.id).exit_code == 1
    assert command("rebuild").stdout == f"{SINGLE_USER}: 1 entries and 0 runs\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2 is not JSON"),
        ("[]", "line 2 is not a JSON object"),
        ('{"id": "x"}', "line 2 is no entry: id"),
        (json.dumps({**NONE, "wins": -5}), "line 2 is no entry: wins cannot be -5"),
        (json.dumps({**NONE, "trials": -1}), "line 2 is no entry: trials cannot be -1"),
        (json.dumps({**NONE, "wins": float("inf")}), "line 2 is no entry: wins cannot be inf"),
        ('{"owner": "' + "x" * 70_000 + '"}', "characters long"),
    ],
    ids=["no JSON", "no object", "no entry", "wins below zero", "trials below zero", "endless wins", "too long"],
)
def test_a_file_with_a_bad_line_is_not_imported_at_all(
    command: Command, redis_url: str, tmp_path: Path, line: str, said: str
) -> None:
    keep(redis_url, [])
    good = json.dumps(recipe(SINGLE_USER).model_dump(mode="json", exclude={"owner"}))
    (tmp_path / "bad.jsonl").write_text(f"{good}\n{line}\n")
    result = command("import", "bad.jsonl")
    assert result.exit_code == 1
    assert said in result.stderr
    assert "nothing there yet" in command("list").stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("show", "0" * 32), 1, "tandem playbook list"),
        (("show", "a"), 1, "too short"),
        (("list", "--kind", "poem"), 2, "recipe, behaviour"),
        (("import", "nowhere.jsonl"), 2, "nowhere.jsonl"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_way_out(
    command: Command, redis_url: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    keep(redis_url, [])
    result = command(*arguments)
    assert result.exit_code == code
    assert said in result.stderr


def test_a_redis_that_is_away_is_said(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{processes.free_port()}/0")
    result = command("list")
    assert result.exit_code == 1
    assert "tandem serve" in result.stderr


def test_what_is_imported_elsewhere_is_recalled_there(command: Command, redis_url: str) -> None:
    keep(redis_url, [])
    entry = recipe(SINGLE_USER, problem=APPLES, topic="0" * 32, status="promoted")
    assert command("import", write(entry), "--owner", "key_b").exit_code == 0

    async def topic() -> str | None:
        client = Redis.from_url(redis_url, socket_timeout=None)
        found = await Topics(client, WordEmbedder()).find("key_b", "How many apples are 17 and 250 apples?", "number")
        await client.aclose()
        return found

    assert asyncio.run(topic()) == entry.topic


def test_a_recipe_is_shown_with_all_that_it_says(command: Command, redis_url: str) -> None:
    worked = Worked(problem=APPLES, solution="a = 3 + 4\nprint(a)")
    whole = Recipe(
        strategy="program", models=("large",), instruction="Use one [red]expression[/red].", examples=(worked,)
    )
    entry = recipe(SINGLE_USER, recipe=whole)
    keep(redis_url, [entry])
    shown = command("show", entry.id).stdout
    for line in (whole.name, "Use one [red]expression[/red].", APPLES, "a = 3 + 4", "print(a)"):
        assert line in shown
    assert whole.name in command("list").stdout


def test_what_is_imported_joins_the_owners_topic_about_the_same(command: Command, redis_url: str) -> None:
    keep(redis_url, [])
    own = recipe(SINGLE_USER, "cot(small)", problem=APPLES, topic="a" * 32)
    assert command("import", write(own)).exit_code == 0
    fields = {"problem": "How many apples are 17 and 250 apples?", "topic": "b" * 32}
    foreign = [recipe(SINGLE_USER, "direct(small)", **fields), behaviour(SINGLE_USER, **fields)]
    elsewhere = recipe(SINGLE_USER, problem=WOLVES, topic="c" * 32)
    assert command("import", write(*foreign, elsewhere)).exit_code == 0
    topics = [json.loads(line)["topic"] for line in command("export").stdout.splitlines()]
    assert sorted(topics) == ["a" * 32] * 3 + ["c" * 32]


def test_candidates_from_elsewhere_share_out_what_a_topic_may_promote_wrongly(command: Command, redis_url: str) -> None:
    """As those that are proposed one after the other do: ten first ones would be ten chances of the largest share."""
    keep(redis_url, [])
    fields = {"problem": APPLES, "topic": "a" * 32, "pair": "another", "version": "other"}
    names = ["cot(small)", "direct(small)", "plan(small)", "program(small)"]
    recipes = [recipe(SINGLE_USER, name, status="promoted", **fields) for name in names]
    assert command("import", write(*recipes, behaviour(SINGLE_USER, **fields)), "--anew").exit_code == 0
    imported = [json.loads(line) for line in command("export").stdout.splitlines()]
    assert sorted(each["rank"] for each in imported if each["kind"] == "recipe") == [1, 2, 3, 4]
    assert [each["rank"] for each in imported if each["kind"] == "behaviour"] == [1]
    assert {each["pair"] for each in imported} != {"another"}, "they are tried with the models of here"
    assert command("import", write(recipe(SINGLE_USER, "refine(small)", **fields)), "--anew").exit_code == 0
    ranks = [json.loads(line)["rank"] for line in command("export").stdout.splitlines()]
    assert max(ranks) == 5
