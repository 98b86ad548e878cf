"""Verifiers by the name that the settings call them."""

from pathlib import Path

from agents.verifier import Verifier
from agents.verifying.constraints import Constraints
from agents.verifying.entailment import Entailment
from agents.verifying.judge import Judge
from orchestrator.settings import Settings
from routers.judging.card import load_judge_card


def build_verifier(settings: Settings) -> Verifier | None:
    """What chooses among the answers of strategies that can use a verifier; None: they vote. Raises ``CardUnreadable``
    for a judge card that is none, or another model's."""
    match settings.strategies.verifier:
        case "judge":
            return _judge(settings)
        case "constraints":
            return Constraints()
        case "entailment":
            return Entailment()
        case "none":
            return None


def _judge(settings: Settings) -> Judge:
    name, path = settings.named("large"), settings.strategies.judge_card
    if not path:
        return Judge(name)
    card = load_judge_card(Path(path).expanduser(), settings.models[name].sha256)
    return Judge(name, calibrate=card.probability)
