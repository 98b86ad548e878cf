"""Entries and topics for tests, and what they are learned from."""

import time
import uuid

from orchestrator.playbook.entry import Entry, Recipe
from orchestrator.playbook.parts import PlaybookParts

FRUITS = "I have {} apples, {} plums and a pear. How many fruits do I have?"
_EXAMPLE = {"kind": "example", "name": "example_i_have_apples", "problem": FRUITS.format(2, 2)}


def recipe(owner: str, name: str = "program(small)", **fields: object) -> Entry:
    """The entry of a route's name, or with ``recipe`` of that one."""
    strategy, model = name.removesuffix(")").split("(")
    return Entry.model_validate(
        {
            "id": uuid.uuid4().hex,
            "owner": owner,
            "kind": "recipe",
            "name": name,
            "recipe": Recipe(strategy=strategy, models=(model,)),
            "problem": "How many apples are 3 and 4 apples?",
            "topic": "any-number",
            "form": "number",
            "pair": "pair",
            "version": "1",
            "created": time.time(),
            "used": time.time(),
            **fields,
        }
    )


def behaviour(owner: str, name: str = "count_twice", text: str = "Count every item twice.", **fields: object) -> Entry:
    return recipe(owner).model_copy(update={"kind": "behaviour", "name": name, "text": text, "recipe": None, **fields})


def example(owner: str, text: str = "They are 2 + 2 + 1.", **fields: object) -> Entry:
    return behaviour(owner, text=text, **{**_EXAMPLE, **fields})


async def for_fruits(parts: PlaybookParts, entry: Entry, **fields: object) -> Entry:
    """``entry``, stored for a topic of its owner's that questions such as ``FRUITS`` belong to."""
    for n in range(3):
        topic = await parts.topics.assign(entry.owner, FRUITS.format(n, n), "number")
    fitting = {"topic": topic, "pair": parts.pair, "version": parts.version}
    if entry.kind != "example":
        fitting["problem"] = FRUITS.format(0, 0)
    entry = entry.model_copy(update={**fitting, **fields})
    await parts.entries.put(entry)
    return entry


async def promoted(parts: PlaybookParts, entry: Entry) -> Entry:
    """``entry``, in use for fruits."""
    return await for_fruits(parts, entry, status="promoted", trials=30, wins=29.0)
