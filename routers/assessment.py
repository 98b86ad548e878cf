"""What can be said of a question before anything is spent on it: the form of its answer and how hard it looks."""

import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from agents.problem import AnswerForm
from routers.plausible import Bounds, bounds_of
from tools.verifiers.choice_texts import choices_in
from tools.verifiers.code.stub import find_stub
from tools.verifiers.logic.controlled_english import read_all
from tools.verifiers.logic.question import find_logic
from workers.messages import Message

_NUMBER = re.compile(r"\d[\d,.]*")
_NUMBER_WORD = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|twenty|thirty|half|twice|thrice|double|"
    r"triple|hundred|thousand|third|quarter)\b",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    r"\b(?:how\s+(?:many|much|long|far|old|tall|fast|heavy|big|large|often)|what (?:is|was|are|were|will be) (?:the )?"
    r"(?:total|sum|number|amount|cost|price|average|mean|difference|product|ratio|percentage|probability|area|volume|"
    r"perimeter|profit|remainder|value|speed|distance|age|least|greatest|smallest|largest|\$)|what percent|"
    r"at what (?:speed|price|rate|age)|what (?:fraction|percentage)|calculate|compute|evaluate|"
    r"(?:find|determine|give) (?:the|its|how|all)|solve)\b",
    re.IGNORECASE,
)
_ARITHMETIC = re.compile(r"\d\s*+(?:[-+*/^×÷%]|\*\*)\s*+(?:\(\s*+)?\d")
_LATEX = re.compile(
    r"\\(?:frac|sqrt|boxed|left|cdot|sum|int|binom|begin|pi|text)\b|\$[^$\n\\^_]*+[\\^_][^$\n]*+\$|\$[a-zA-Z]\$"
)
_CHOICE = re.compile(r"(?m)^[^\S\n]*\(?([A-F])[.):]\s+\S")
_ASKING = re.compile(r"\b(?:what|how)\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_CODE = re.compile(r"```|^[^\S\n]*(?:def|class|import|from) \w", re.MULTILINE)
_YES_NO = re.compile(r"\b(?:yes or no|true or false|yes/no|true/false)\b", re.IGNORECASE)
_WRITING = re.compile(
    r"\b(?:write|draft|compose|explain|describe|summari[sz]e|translate|rewrite|suggest|recommend|poem|story|essay|email|"
    r"letter|function|class|code|script|refactor|implement|why)\b",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"^\W*(?:please\s+)?(?:write|draft|compose|implement|complete|translate|summari[sz]e|rewrite)\b", re.IGNORECASE
)
_INTERFACE_TASK = re.compile(
    r"^\s*(?:#+\s*task:|(?:create|generate|suggest|write)\b.{0,80}\b(?:title|tags?|follow[- ]up questions?|emoji)\b"
    r".{0,200}"
    r"\b(?:chat|conversation)\b)",
    re.IGNORECASE | re.DOTALL,
)
_SHORT_WORDS = 6
_BARE_WORDS = 50
# Characters. What is asked stands at the beginning or at the end of a longer question.
_LONGEST = 20_000


class Assessment(BaseModel):
    """``difficulty`` between 0 and 1, None where there is no signal; ``interface_task`` marks the hidden requests of
    chat interfaces (titles, tags); ``derived`` says whether the answer follows from what the question gives,
    ``decidable`` whether it is one of deduction that is read whole without a model, ``bounds`` what it says of the
    answer beforehand; ``reason`` is one sentence for the trace."""

    model_config = ConfigDict(frozen=True)

    form: AnswerForm
    difficulty: float | None
    reason: str
    interface_task: bool = False
    derived: bool = True
    decidable: bool = False
    bounds: Bounds = Bounds()


def assess(messages: Sequence[Message], inherited: float | None = None) -> Assessment:
    """Assess the last user message; a short follow-up without signals of its own inherits the thread's difficulty."""
    question = _ends(next((m.content for m in reversed(messages) if m.role == "user"), ""))
    if _INTERFACE_TASK.search(question):
        return Assessment(
            form="text", difficulty=0.0, reason="a chat interface's own request (title, tags)", interface_task=True
        )
    form = answer_form(question)
    if form == "code":
        return Assessment(form=form, difficulty=None, reason="a function to complete, which can be run")
    if form == "text":
        if len(question.split()) <= _SHORT_WORDS and inherited is not None:
            return Assessment(
                form=form, difficulty=inherited, reason="a short follow-up inherits the thread's difficulty"
            )
        return Assessment(form=form, difficulty=None, reason="no answer that could be checked")
    return Assessment(
        form=form,
        difficulty=_difficulty(question),
        derived=form not in ("choice", "yes-no") or _derived(question),
        decidable=form in ("choice", "yes-no") and _decidable(question),
        bounds=_bounds(question, form),
        reason=f"the answer is a {form} that can be compared",
    )


def answer_form(question: str) -> AnswerForm:
    """How answers to this question can be compared; ``text`` when nothing says that they can."""
    question = _ends(question)
    if find_stub(question) is not None:
        return "code"
    if len(set(_CHOICE.findall(question))) >= 2:
        return "choice"
    if _YES_NO.search(question):
        return "yes-no"
    if _CODE.search(question) or _ORDER.search(question):
        return "text"
    asks_quantity = _QUANTITY.search(question) is not None
    if _LATEX.search(question) and (asks_quantity or "?" in question):
        return "expression"
    if _WRITING.search(_last_sentence(question)) and not asks_quantity:
        return "text"
    numbers = _numbers(question)
    asks = asks_quantity or _asks(_last_sentence(question))
    if _ARITHMETIC.search(question) or (asks and numbers >= 2):
        return "number"
    return "text"


def _bounds(question: str, form: AnswerForm) -> Bounds:
    if form == "number":
        return bounds_of(question, _last_sentence(question))
    return Bounds(letters=tuple(choices_in(question))) if form == "choice" else Bounds()


def _derived(question: str) -> bool:
    """Whether a question that names its answers gives anything to derive one from, before it names them: numbers, a
    formula, or more words than it takes to ask for what is known."""
    first = _CHOICE.search(question)
    stem = question if first is None else question[: first.start()]
    if _numbers(stem) >= 2 or _ARITHMETIC.search(stem) is not None or _LATEX.search(question) is not None:
        return True
    return len(stem.split()) > _BARE_WORDS


def _decidable(question: str) -> bool:
    logic = find_logic(question)
    return logic is not None and None not in read_all((logic.statement, *logic.premises))


def _numbers(text: str) -> int:
    return len(_NUMBER.findall(_YEAR.sub("", text))) + len(_NUMBER_WORD.findall(text))


def _ends(question: str) -> str:
    """The question, without its middle where it is longer than anyone reads to see what is wanted."""
    if len(question) <= _LONGEST:
        return question
    half = _LONGEST // 2
    return f"{question[: half - 1]}\n{question[-half:]}"


def _asks(sentence: str) -> bool:
    return _ASKING.search(sentence, 0, max(sentence.rfind("?"), 0)) is not None


def _last_sentence(question: str) -> str:
    sentences = re.split(r"(?<=[.?!])\s+", question.strip())
    return sentences[-1] if sentences else ""


def _difficulty(question: str) -> float:
    """A rough scale from length and the count of quantities: longer problems with more numbers need more steps."""
    quantities = len(re.findall(r"\d[\d,.]*", question)) + len(_NUMBER_WORD.findall(question))
    words = len(question.split())
    return round(min(1.0, 0.08 * quantities + words / 150 + (0.25 if _LATEX.search(question) else 0.0)), 3)
