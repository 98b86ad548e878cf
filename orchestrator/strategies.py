"""The built-in strategies, with the options that the settings give them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

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

_BUILD: Mapping[str, Callable[[Settings], Strategy]] = MappingProxyType(
    {
        Direct.name: lambda settings: Direct(),
        ChainOfThought.name: lambda settings: ChainOfThought(),
        Program.name: lambda settings: Program(),
        Consensus.name: lambda settings: Consensus(),
        SelfConsistency.name: lambda settings: SelfConsistency(settings.strategies.self_consistency),
        Confidence.name: lambda settings: Confidence(settings.strategies.confidence),
        ShortM.name: lambda settings: ShortM(settings.strategies.short_m),
        Parallel.name: lambda settings: Parallel(settings.strategies.parallel, build_verifier(settings)),
        Refine.name: lambda settings: Refine(settings.strategies.refine),
        Plan.name: lambda settings: Plan(settings.strategies.plan),
        Critique.name: lambda settings: Critique(settings.strategies.critique),
        PlanTools.name: lambda settings: PlanTools(settings.strategies.plan_tools),
        ToolLoop.name: lambda settings: ToolLoop(settings.strategies.tool_loop),
        Toolmaker.name: lambda settings: Toolmaker(settings.strategies.toolmaker),
        Code.name: lambda settings: Code(settings.strategies.code),
        Logic.name: lambda settings: Logic(settings.strategies.logic),
        CallingTools.name: lambda settings: CallingTools(settings.tools.rounds),
    }
)


def strategy_names() -> tuple[str, ...]:
    """Every strategy's name, which is also the name of a virtual model."""
    return (*_BUILD, *collaborative_names())


def build_strategies(settings: Settings) -> Mapping[str, Strategy]:
    """Every strategy by its name."""
    written_together = {
        name: Collaborative(name, settings.collaboration.options(name)) for name in collaborative_names()
    }
    return {**{name: build(settings) for name, build in _BUILD.items()}, **written_together}
