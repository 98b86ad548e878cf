"""The built-in strategies, with the options that the settings give them."""

from collections.abc import Mapping

from agents.calling_tools import CallingTools
from agents.code import Code
from agents.collaborative import Collaborative, collaborative_names
from agents.confidence import Confidence
from agents.consensus import Consensus
from agents.cot import ChainOfThought
from agents.critique import Critique
from agents.direct import Direct
from agents.logic import Logic
from agents.parallel import Parallel
from agents.plan import Plan
from agents.plan_tools import PlanTools
from agents.program import Program
from agents.refine import Refine
from agents.self_consistency import SelfConsistency
from agents.short_m import ShortM
from agents.strategy import Strategy
from agents.tool_loop import ToolLoop
from agents.toolmaker import Toolmaker
from orchestrator.settings import Settings
from orchestrator.verifiers import build_verifier


def build_strategies(settings: Settings) -> Mapping[str, Strategy]:
    """Every strategy by its name, which is also the name of a virtual model."""
    options = settings.strategies
    strategies: tuple[Strategy, ...] = (
        Direct(),
        ChainOfThought(),
        Program(),
        Consensus(),
        SelfConsistency(options.self_consistency),
        Confidence(options.confidence),
        ShortM(options.short_m),
        Parallel(options.parallel, build_verifier(settings)),
        Refine(options.refine),
        Plan(options.plan),
        Critique(options.critique),
        PlanTools(options.plan_tools),
        ToolLoop(options.tool_loop),
        Toolmaker(options.toolmaker),
        Code(options.code),
        Logic(options.logic),
        CallingTools(settings.tools.rounds),
        *(Collaborative(name, settings.collaboration.options(name)) for name in collaborative_names()),
    )
    return {strategy.name: strategy for strategy in strategies}
