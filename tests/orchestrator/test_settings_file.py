"""Settings: every problem is named with its line, its key and its value."""

from pathlib import Path

import pytest

from orchestrator.settings import EffortSettings
from orchestrator.settings_file import SettingsInvalid, load_settings, profile_text, profiles
from workers.ledger import Budget


def _problem(tmp_path: Path, text: str, **environment: str) -> str:
    path = tmp_path / "tandem.toml"
    path.write_text(profile_text("cpu") + text)
    with pytest.raises(SettingsInvalid) as invalid:
        load_settings(path, environment)
    return str(invalid.value)


def _lines_before() -> int:
    return len(profile_text("cpu").splitlines())


def test_every_profile_is_valid() -> None:
    assert profiles() == ["api", "cpu", "gpu"]


@pytest.mark.parametrize("profile", ["api", "cpu", "gpu"])
def test_a_profile_loads_as_it_is_written(profile: str, tmp_path: Path) -> None:
    path = tmp_path / "tandem.toml"
    path.write_text(profile_text(profile))
    assert {model.role for model in load_settings(path, {}).models.values()} >= {"small", "large"}


def test_an_unknown_key_is_named_with_its_line_and_a_guess(tmp_path: Path) -> None:
    problem = _problem(tmp_path, "\n[auto]\nagreing = 3\n")
    assert f"tandem.toml:{_lines_before() + 3}: auto.agreing:" in problem
    assert "agreeing" in problem


def test_a_wrong_value_is_shown(tmp_path: Path) -> None:
    problem = _problem(tmp_path, '\n[consensus]\nvoter = "medium"\n')
    assert f":{_lines_before() + 3}: consensus.voter: 'medium'" in problem
    assert "'small' or 'large'" in problem


def test_two_problems_are_both_reported(tmp_path: Path) -> None:
    problem = _problem(tmp_path, '\n[consensus]\nvoter = "medium"\n[auto]\nagreeing = "two"\n')
    assert len(problem.splitlines()) == 2


def test_what_is_not_toml_is_named_with_its_line(tmp_path: Path) -> None:
    assert "not TOML" in _problem(tmp_path, "\nthis is no setting\n")


def test_the_environment_wins_and_its_mistakes_are_named(tmp_path: Path) -> None:
    path = tmp_path / "tandem.toml"
    path.write_text(profile_text("cpu"))
    assert load_settings(path, {"TANDEM__GATEWAY__PORT": "8123"}).gateway.port == 8123
    problem = _problem(tmp_path, "", TANDEM__GATEWAY__PORT="many")
    assert "TANDEM__GATEWAY__PORT" in problem and "many" in problem


def test_redis_url_of_the_environment_is_taken(tmp_path: Path) -> None:
    assert load_settings(None, {"REDIS_URL": "redis://there:1/0"}).redis.url == "redis://there:1/0"


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="tandem init"):
        load_settings(tmp_path / "none.toml", {})


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("[sandbox]\nwall_seconds = -1", 2, "sandbox.wall_seconds: -1 should be greater than 0"),
        ("[auto]\nagreeing = 0", 2, "auto.agreeing: 0 should be greater than or equal to 1"),
        ("[auto.accept_logprob]\nlow = nan", 2, "auto.accept_logprob.low: nan should be"),
        ("[acceptance.price]\nhigh = -1", 2, "acceptance.price.high: -1 should be greater than or equal to 0"),
        ("[efforts]\nhigh = { budget = { tokens = -5 } }", 2, "efforts.high.budget.tokens: -5 should be"),
        ("[efforts.low.budget]\ncalls = 0", 1, "calls = 0 leaves nothing to answer with"),
        ("[playbook]\nurl = 'localhost:6379'", 2, "playbook.url: 'localhost:6379' is no address of a Redis"),
        ("[mcp.files]\nurl = 'files:80'", 2, "mcp.files.url: 'files:80' is no address"),
        ("[mcp.files]\nurl = 'http://files:99999'", 2, "'http://files:99999' is no address (invalid port number)"),
    ],
)
def test_a_value_out_of_range_is_reported_with_its_line(tmp_path: Path, text: str, at: int, said: str) -> None:
    [problem] = _problem(tmp_path, f"\n{text}\n").splitlines()
    # An inline table and what is in it go by the line of their statement.
    assert f"tandem.toml:{_lines_before() + 1 + at}: " in problem
    assert said in problem


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("port = 70000", "gateway.port: 70000 should be less than or equal to 65535"),
        ("port = 0", "gateway.port: 0 should be greater than or equal to 1"),
        ("runs_per_minute = 0", "gateway.runs_per_minute: 0 should be greater than or equal to 1"),
    ],
)
def test_a_gateway_that_could_serve_nobody_is_reported(tmp_path: Path, value: str, said: str) -> None:
    lines = profile_text("cpu").replace("port = 8000", value).splitlines()
    (tmp_path / "tandem.toml").write_text("\n".join(lines))
    with pytest.raises(SettingsInvalid) as invalid:
        load_settings(tmp_path / "tandem.toml", {})
    assert str(invalid.value).endswith(f"tandem.toml:{lines.index(value) + 1}: {said}")


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("slots = 0", "models.more.engine.slots: 0 should be greater than or equal to 1"),
        ("port = -1", "models.more.engine.port: -1 should be greater than or equal to 0"),
        ("url = '127.0.0.1:8101'", "models.more.engine.url: '127.0.0.1:8101' is no address: it begins with http://"),
        ("kind = 'sglang'", "an engine of kind 'sglang' needs `url`"),
        ("kind = 'litellm'", "an engine of kind 'litellm' needs `provider_model`"),
    ],
)
def test_an_engine_that_could_not_be_asked_is_reported(tmp_path: Path, engine: str, said: str) -> None:
    text = f"\n[models.more]\nrole = 'other'\nparameters = 1\n[models.more.engine]\n{engine}\n"
    assert said in _problem(tmp_path, text)


def test_a_price_below_nothing_is_reported(tmp_path: Path) -> None:
    text = "\n[models.more]\nrole = 'other'\nparameters = 1\nprice = { prompt = -1 }\nengine = {}\n"
    assert "models.more.price.prompt: -1 should be greater than or equal to 0" in _problem(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "[auto]\nask_strong = 2.0",
        "[auto.accept_logprob]\nlow = inf",
        "[acceptance.price]\nhigh = inf",
        "[playbook]\nshadow = 0\nconsolidate = 0\nrecipes = []",
        "[web_search]\nurl = ''",
        "[slack]\nmodel = 'cot(large)'\nfile_bytes = 0",
        "[auto]\ncode = ['entropy(small+large)', 'code(large)']",
    ],
)
def test_values_that_mean_never_or_off_are_taken(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tandem.toml"
    path.write_text(f"{profile_text('cpu')}\n{text}\n")
    load_settings(path, {})


def test_what_is_set_for_one_effort_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    before, path = load_settings(environment={}), tmp_path / "tandem.toml"
    path.write_text(
        profile_text("cpu")
        + "\n[efforts]\nhigh = { budget = { tokens = 9 } }\n"
        + "[auto]\naccept_logprob = { high = -1.0 }\naccept_choice = { high = -1.0 }\n"
        + "ladders = { high = ['cot(small)'] }\nchoosing = { high = ['cot(small)'] }\n"
        + "[acceptance]\nprice = { high = 3.0 }\n"
    )
    after = load_settings(path, {})
    assert after.efforts == before.efforts | {"high": EffortSettings(budget=Budget(tokens=9))}
    assert after.auto.accept_logprob == before.auto.accept_logprob | {"high": -1.0}
    assert after.auto.accept_choice == before.auto.accept_choice | {"high": -1.0}
    assert after.auto.ladders == before.auto.ladders | {"high": ("cot(small)",)}
    assert after.auto.choosing == before.auto.choosing | {"high": ("cot(small)",)}
    assert after.acceptance.price == before.acceptance.price | {"high": 3.0}


def test_the_variable_that_a_wrong_value_comes_from_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tandem.toml"
    path.write_text(profile_text("cpu"))
    for variable, value in (
        ("REDIS_URL", "localhost:6379"),
        ("TANDEM__MODELS__SMALL__ENGINE__URL", "localhost:8101"),
        ("TANDEM__AUTO__LADDERS", '{"high": ["programm(large)"]}'),
    ):
        with pytest.raises(SettingsInvalid, match=f"^{variable}: "):
            load_settings(path, {variable: value})
