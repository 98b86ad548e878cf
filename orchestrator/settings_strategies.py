"""Options of the strategies that have any."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from agents.code import CodeOptions
from agents.confidence import ConfidenceOptions
from agents.critique import CritiqueOptions
from agents.logic import LogicOptions
from agents.parallel import ParallelOptions
from agents.plan import PlanOptions
from agents.plan_tools import PlanToolsOptions
from agents.refine import RefineOptions
from agents.self_consistency import SelfConsistencyOptions
from agents.short_m import ShortOptions
from agents.tool_loop import ToolLoopOptions
from agents.toolmaker import ToolmakerOptions

VerifierName = Literal["none", "judge", "constraints", "entailment"]


class StrategySettings(BaseModel):
    """Options of the strategies that have any; a section is called as its strategy, with ``_`` for ``-``.
    ``verifier`` chooses among the answers of ``parallel``: a judging model, a program that checks the conditions of
    the question, or a solver that checks each step; with "none" they vote. ``judge_card`` is a file that `tandem train
    judge` has written: it turns the judge's scores into probabilities."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    verifier: VerifierName = "none"
    judge_card: str = ""

    self_consistency: SelfConsistencyOptions = SelfConsistencyOptions()
    confidence: ConfidenceOptions = ConfidenceOptions()
    short_m: ShortOptions = ShortOptions()
    parallel: ParallelOptions = ParallelOptions()
    refine: RefineOptions = RefineOptions()
    plan: PlanOptions = PlanOptions()
    critique: CritiqueOptions = CritiqueOptions()
    plan_tools: PlanToolsOptions = PlanToolsOptions()
    tool_loop: ToolLoopOptions = ToolLoopOptions()
    toolmaker: ToolmakerOptions = ToolmakerOptions()
    code: CodeOptions = CodeOptions()
    logic: LogicOptions = LogicOptions()
