"""Verifiers by the name that the settings call them."""

from agents.verifier import Verifier
from agents.verifying.constraints import Constraints
from agents.verifying.entailment import Entailment
from agents.verifying.judge import Judge
from orchestrator.settings import Settings


def build_verifier(settings: Settings) -> Verifier | None:
    """What chooses among the answers of strategies that can use a verifier; None: they vote."""
    match settings.strategies.verifier:
        case "judge":
            return Judge(settings.named("large"))
        case "constraints":
            return Constraints()
        case "entailment":
            return Entailment()
        case "none":
            return None
