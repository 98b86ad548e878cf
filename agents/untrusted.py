"""Text that a program or a tool wrote, on its way into a prompt.

Prompts are tokenized with special tokens, so that a marker of the chat template would end the turn it stands in and
open one that speaks as somebody else.
"""

import re

TEMPLATE_MARKER = re.compile(
    r"<[|\uff5c][\w\u2581]{1,40}[|\uff5c]>"  # DeepSeek's have wide bars
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS|TOOL_CONTENT)\]"
    r"|<</?SYS>>|</?s>|<(?:start|end)_of_turn>"
)
"""What begins or ends a turn in the chat templates of the model families in use."""


def neutralised(text: str) -> str:
    """``text`` without what could end the block around it or open a turn; a reader still sees what stood there."""
    apart = TEMPLATE_MARKER.sub(lambda marker: f"{marker[0][0]} {marker[0][1:]}", text)
    return apart.replace("<|", "< |").replace("</tool", "< /tool").replace("```", "'''")
