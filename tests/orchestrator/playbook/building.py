"""Entries and topics for tests."""

import time
import uuid

from orchestrator.playbook.entry import Entry, Recipe


def recipe(owner: str, name: str = "program(small)", **fields: object) -> Entry:
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
