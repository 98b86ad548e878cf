"""How each answer form is named to a model."""

from collections.abc import Mapping

from agents.problem import AnswerForm

FORM_TEXT: Mapping[AnswerForm, str] = {
    "number": "the final number",
    "expression": "the final answer as a mathematical expression",
    "choice": "the letter of the right choice",
    "yes-no": "yes or no",
    "code": "the function",
    "text": "the answer",
}
