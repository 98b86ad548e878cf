"""Whether llama.cpp can hold an answer to a JSON schema."""

from collections.abc import Mapping
from typing import Any

import orjson
from llguidance import LLMatcher


def schema_fault(schema: Mapping[str, Any]) -> str | None:
    """What is wrong with the schema in one line, None when it can be followed.

    The server compiles schemas with the same library and, where it cannot, answers as if there were none. May take
    milliseconds of CPU time for a large schema.
    """
    try:
        grammar = LLMatcher.grammar_from_json_schema(orjson.dumps(schema).decode())
    except ValueError as error:
        return str(error)
    fault = LLMatcher.validate_grammar(grammar, None)
    return " ".join(fault.split()) or None
