"""What stands below an answer: the footer and the buttons."""

import json
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, ValidationError
from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextActionsBlock,
    ContextBlock,
    FeedbackButtonsElement,
    MarkdownTextObject,
)
from slack_sdk.models.blocks.basic_components import FeedbackButtonObject

from agents.events import RunFinished
from routers.route import Effort
from web.slack.pages import Metadata
from web.slack.question import Question
from web.slack.wording import escaped, shortened

STOP = "tandem_stop"
HARDER = "tandem_think_harder"
FEEDBACK = "tandem_feedback"
CHOICE = "tandem_choice"
ANSWER_EVENT = "tandem_answer"
CHOICE_EVENT = "tandem_choice"
_BUTTON_TEXT = 75
_CHOICE_CHARACTERS = 300
_CHOICES = 5
_ENDINGS = {
    "budget": "the budget is spent: this is the best answer so far",
    "abstained": "not sure enough to answer",
    "cancelled": "stopped",
    "error": "failed",
}


class Pressed(BaseModel):
    """What a button says when it is pressed: about which run, whose, and perhaps what was chosen."""

    model_config = ConfigDict(frozen=True)

    run: str
    user: str
    choice: str = ""

    def value(self) -> str:
        return self.model_dump_json(exclude_defaults=True)

    @classmethod
    def read(cls, value: str) -> "Pressed | None":
        """None for a value that this version does not write."""
        try:
            return cls.model_validate_json(value)
        except ValidationError:
            return None


def footer(last: RunFinished, effort: Effort) -> ContextBlock:
    """Route, effort, tokens by model, seconds, and how the run ended if not with an answer."""
    ledger = last.ledger
    tokens = " + ".join(f"{escaped(name)} {usage.total:,}" for name, usage in sorted(ledger.tokens.items()))
    parts = [f"`{last.route}`" if last.route else "", f"{effort} effort", f"{tokens} tokens" if tokens else ""]
    parts += [f"{ledger.seconds:.1f} s", f"${ledger.money:.4f}" if ledger.money else "", _ENDINGS.get(last.status, "")]
    return ContextBlock(elements=[MarkdownTextObject(text=" · ".join(part for part in parts if part))])


def stop_button(pressed: Pressed) -> Block:
    return ActionsBlock(elements=[ButtonElement(text="Stop", action_id=STOP, style="danger", value=pressed.value())])


def answer_blocks(last: RunFinished, pressed: Pressed, effort: Effort, choices: Sequence[str]) -> list[Block]:
    """Everything below an answer."""
    below: list[Block] = [footer(last, effort)]
    if choices:
        below.append(_quick_replies(pressed, choices))
    if last.status in ("answered", "budget", "abstained"):
        below.append(_feedback(pressed))
    if effort != "high" and last.status != "needs_input":
        button = ButtonElement(text="Think harder", action_id=HARDER, value=pressed.value())
        below.append(ActionsBlock(elements=[button]))
    return below


def answer_metadata(run: str, question: Question) -> Metadata:
    """Marks a message as a run's answer, so that the thread can be read back as a conversation."""
    return {"event_type": ANSWER_EVENT, "event_payload": {"run": run, "user": question.user}}


def choice_metadata(user: str, choice: str) -> Metadata:
    return {"event_type": CHOICE_EVENT, "event_payload": {"user": user, "choice": choice}}


def _feedback(pressed: Pressed) -> Block:
    good, bad = (json.dumps({**json.loads(pressed.value()), "choice": rating}) for rating in ("up", "down"))
    return ContextActionsBlock(
        elements=[
            FeedbackButtonsElement(
                action_id=FEEDBACK,
                positive_button=FeedbackButtonObject(text="Good answer", accessibility_label="Good answer", value=good),
                negative_button=FeedbackButtonObject(text="Bad answer", accessibility_label="Bad answer", value=bad),
            )
        ]
    )


def _quick_replies(pressed: Pressed, choices: Sequence[str]) -> Block:
    return ActionsBlock(
        elements=[
            ButtonElement(
                text=shortened(choice, _BUTTON_TEXT),
                action_id=f"{CHOICE}_{index}",
                value=pressed.model_copy(update={"choice": choice[:_CHOICE_CHARACTERS]}).value(),
            )
            for index, choice in enumerate(choices[:_CHOICES])
        ]
    )
