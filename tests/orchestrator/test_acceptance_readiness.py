"""What `tandem doctor` says of the card."""

from pathlib import Path

from orchestrator.acceptance_readiness import acceptance_state
from orchestrator.settings_file import load_settings

_OTHER = {"TANDEM__MODELS__LARGE__SHA256": "0" * 64}


def _state(**environment: str) -> tuple[bool, str]:
    return acceptance_state(load_settings(environment=environment))


def test_the_default_pair_is_known() -> None:
    fine, said = _state()
    assert fine
    assert "of form number" in said


def test_another_pair_is_fine_unless_evidence_is_to_decide() -> None:
    fine, said = _state(**_OTHER)
    assert fine
    assert "thresholds decide" in said
    fine, said = _state(**_OTHER, TANDEM__ACCEPTANCE__DECIDES="true")
    assert not fine
    assert "tandem train acceptance" in said


def test_a_card_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text("no card")
    fine, said = _state(TANDEM__ACCEPTANCE__CARD=str(path))
    assert not fine
    assert str(path) in said
