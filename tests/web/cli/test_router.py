"""``tandem train router`` and ``tandem router``: from stored outcomes to a version in service, and back."""

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from orchestrator.outcomes.store import OutcomeStore
from routers.embedding import WordEmbedder
from routers.estimators.choice import best_route
from routers.estimators.features import Features
from routers.versions import RouterShelf
from tests.routers.outcomes import FORMS, TOPICS, flat, synthetic
from web.cli.main import build


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TANDEM__STORAGE__DIRECTORY", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _tandem(*arguments: str) -> Result:
    return CliRunner().invoke(build(), list(arguments))


def _trained(*arguments: str) -> str:
    result = _tandem("train", "router", "--estimator", "knn", *arguments)
    assert result.exit_code == 0, result.output
    return result.output.split("version ", 1)[1].split(":", 1)[0]


def test_without_outcomes_the_way_to_some_is_named(directory: Path) -> None:
    result = _tandem("train", "router")
    assert result.exit_code == 1 and "tandem bench collect" in result.output
    status = _tandem("router", "status")
    assert status.exit_code == 0 and "none was trained" in status.output


def test_a_router_with_evidence_serves_until_it_is_rolled_back(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    OutcomeStore(directory / "outcomes").append(synthetic(60))
    version = _trained()
    assert "although one may" in _tandem("router", "status").output
    activated = _tandem("router", "activate", version)
    assert activated.exit_code == 0 and "beats the best constant" in activated.output
    status = _tandem("router", "status").output
    assert status.startswith(f"{version} serves `auto`") and "n = 120" in status, (
        "choices told in one line are no choice to compare"
    )
    monkeypatch.setenv("TANDEM__MODELS__LARGE__SHA256", "f" * 64)
    assert "but no learned router serves" in (other := _tandem("router", "status").output) and "train one" in other
    monkeypatch.delenv("TANDEM__MODELS__LARGE__SHA256")
    rolled = _tandem("router", "rollback")
    assert rolled.exit_code == 0 and "no learned router serves" in rolled.output


def test_a_router_without_evidence_is_refused_and_status_says_why(directory: Path) -> None:
    OutcomeStore(directory / "outcomes").append(synthetic(30, skills=flat()))
    version = _trained()
    refused = _tandem("router", "activate", version)
    assert refused.exit_code == 1 and "not put in service: no evidence" in refused.output
    assert "no learned router serves. Of the newest version: no evidence" in _tandem("router", "status").output


def test_a_version_is_evaluated_on_what_was_collected_since(directory: Path) -> None:
    store = OutcomeStore(directory / "outcomes")
    store.append(synthetic(40))
    version = _trained()
    assert "as it was judged when it was trained" in _tandem("router", "evaluate", version).output
    since = [
        one.model_copy(update={"id": f"new/{one.id}", "split_key": f"new/{one.id}"}) for one in synthetic(20, seed=3)
    ]
    store.append(since)
    assert "on 40 questions that it was not trained on" in _tandem("router", "evaluate", version).output


def test_a_strategy_with_a_handful_of_outcomes_is_added_to_what_is_known_of_the_others(directory: Path) -> None:
    store = OutcomeStore(directory / "outcomes")
    known = synthetic(40)
    few = {one.id for one in known if int(one.id.rpartition("/")[2]) < 8}
    store.append([one for one in known if one.route != "cot(large)" or one.id in few])
    refused = _tandem("train", "router", "--estimator", "route-to-reason")
    assert refused.exit_code == 1 and "16 questions that a router would be asked about" in refused.output
    added = _tandem("train", "router", "--estimator", "route-to-reason", "--add", "cot(large)")
    assert added.exit_code == 0, added.output
    assert "added afterwards, and not judged: cot(large)" in added.output
    version = added.output.split("version ", 1)[1].split(":", 1)[0]
    card, estimator, _ = RouterShelf(directory / "routers").load(version)
    assert card.added == ("cot(large)",) and card.judged_on == 80
    question = TOPICS["logic"][0].format(a=7, b=9)
    logic = Features(question, FORMS["logic"], WordEmbedder().embed_blocking([question])[0])
    assert best_route(estimator.predict(logic), 0.1) == "cot(large)"
    unknown = _tandem("train", "router", "--add", "plan(large)")
    assert unknown.exit_code == 1 and "tandem bench collect --route 'plan(large)'" in unknown.output


def test_routes_can_be_named_and_unknown_ones_are_refused(directory: Path) -> None:
    OutcomeStore(directory / "outcomes").append(synthetic(30))
    few = _tandem("train", "router", "--estimator", "length", "--route", "cot(large)", "--route", "program(large)")
    assert few.exit_code == 0 and "direct" not in few.output
    unknown = _tandem("train", "router", "--route", "plan(large)")
    assert unknown.exit_code == 1 and "plan(large)" in unknown.output
    gone = _tandem("router", "activate", "20200101T000000-000000")
    assert gone.exit_code == 1 and "known:" in gone.output
