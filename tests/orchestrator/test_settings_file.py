"""Settings: every problem is named with its line, its key and its value."""

from pathlib import Path

import pytest

from orchestrator.settings_file import SettingsInvalid, load_settings, profile_text, profiles


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
