"""What no single setting shows to be wrong: every name of a route stands for one, and no port is wanted twice."""

from pathlib import Path

import pytest

from orchestrator.settings import Settings
from orchestrator.settings_file import SettingsInvalid, load_settings, profile_text

_MORE = "[models.more]\nrole = 'other'\nparameters = 1\n[models.more.engine]\n"


def _load(tmp_path: Path, text: str, profile: str = "cpu", **environment: str) -> Settings:
    path = tmp_path / "tandem.toml"
    path.write_text(f"{text}\n{profile_text(profile)}")
    return load_settings(path, environment)


def _problems(tmp_path: Path, text: str, profile: str = "cpu", **environment: str) -> list[str]:
    with pytest.raises(SettingsInvalid) as invalid:
        _load(tmp_path, text, profile, **environment)
    return [str(problem).removeprefix(f"{tmp_path}/") for problem in invalid.value.problems]


@pytest.mark.parametrize("setting", ["auto.ladders.medium", "auto.choosing.low", "auto.code"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("programm(large)", "'programm(large)' names no strategy; did you mean 'program'?"),
        ("program(giant)", "'program(giant)' names 'giant', which is no model; Allowed here: small, large"),
        ("program", "'program' is not a route such as 'program(large)'"),
        ("entropy(giant+large)", "'entropy(giant+large)' names 'giant', which is no model"),
        ("entropy(small)", "strategy 'entropy' is written by two models, and 'small' is not two"),
    ],
)
def test_a_route_that_stands_for_nothing_is_reported_with_its_line(
    tmp_path: Path, setting: str, name: str, said: str
) -> None:
    [problem] = _problems(tmp_path, f"{setting} = [\n'direct(large)',\n'{name}']")
    assert problem.startswith(f"tandem.toml:1: {setting}.1: {said}")


@pytest.mark.parametrize("setting", ["auto.ladders.medium", "auto.choosing.low", "auto.code"])
def test_a_ladder_without_a_route_is_reported(tmp_path: Path, setting: str) -> None:
    assert _problems(tmp_path, f"{setting} = []") == [
        f"tandem.toml:1: {setting}: [] is too short: 1 is the least, and without the key its default serves"
    ]


def test_two_models_of_providers_cannot_write_together(tmp_path: Path) -> None:
    [problem] = _problems(tmp_path, "auto.code = ['entropy(small+large)']", "api")
    assert problem.startswith("tandem.toml:1: auto.code.0: strategy 'entropy' needs two engines that take token ids")


def test_a_model_goes_by_its_role_and_by_its_name(tmp_path: Path) -> None:
    text = profile_text("cpu").replace("[models.small", "[models.little")
    path = tmp_path / "tandem.toml"
    path.write_text(f"auto.ladders.low = ['cot(small)', 'cot(little)', 'entropy(little+large)']\n{text}")
    load_settings(path, {})


def test_recipes_name_strategies_that_a_recipe_may_be(tmp_path: Path) -> None:
    [problem] = _problems(tmp_path, "playbook.recipes = ['cott(small)']")
    assert problem.startswith("tandem.toml:1: playbook.recipes.0: 'cott(small)' names no strategy; did you mean 'cot'?")
    [problem] = _problems(tmp_path, "playbook.recipes = ['cot(small)', 'tools(large)']")
    assert problem.startswith("tandem.toml:1: playbook.recipes.1: 'tools(large)' cannot be a recipe: that is one of")


def test_the_bots_model_is_one_that_can_be_asked_for(tmp_path: Path) -> None:
    [problem] = _problems(tmp_path, "slack.model = 'auto-deap'")
    assert problem.startswith("tandem.toml:1: slack.model: there is no model 'auto-deap'; did you mean 'auto-deep'?")
    [problem] = _problems(tmp_path, "slack.model = 'entropy'", "api")
    assert "needs two engines" in problem


def test_scales_are_those_of_strategies(tmp_path: Path) -> None:
    [problem] = _problems(tmp_path, "auto.scales.progam = { mean = -0.1, spread = 0.1 }")
    assert problem.startswith("tandem.toml:1: auto.scales.progam: there is no such strategy; did you mean 'program'?")


def test_a_port_is_given_once(tmp_path: Path) -> None:
    [engines] = _problems(tmp_path, f"{_MORE}port = 8102")
    assert engines.endswith("models.large.engine.port: 8102 is the port of engine more too; give engine large another")
    for host in ("127.0.0.1", "localhost", "0.0.0.0"):
        [redis] = _problems(tmp_path, "", TANDEM__GATEWAY__PORT="6399", TANDEM__GATEWAY__HOST=host)
        assert redis.endswith("redis.port: 6399 is the port of gateway too; give redis another")


def test_a_port_of_another_address_or_another_machine_is_no_clash(tmp_path: Path) -> None:
    _load(tmp_path, "", TANDEM__GATEWAY__PORT="6399", TANDEM__GATEWAY__HOST="::1")
    _load(tmp_path, "", TANDEM__GATEWAY__PORT="6399", REDIS_URL="redis://there:6399/0")
    _load(tmp_path, f"{_MORE}url = 'http://there:8102'\nport = 8102")
