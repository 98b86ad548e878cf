"""``code``: sampled until the examples pass, in the real sandbox."""

from agents.code import Code, CodeOptions
from agents.events import Event, Verdict
from agents.problem import Problem
from routers.assessment import assess
from tests.agents.conftest import ContextFor
from workers.engines.protocol import Sampling
from workers.engines.scripted.script import Reply, Script, say
from workers.engines.scripted.server import ScriptedServer
from workers.messages import Message

STUB = '''import math


def area(r: float) -> float:
    """The area of a circle.{}
    """
'''
EXAMPLES = STUB.format("\n    >>> area(0)\n    0\n    area(1.0) == 3.141592653589793")
WRONG = "```python\ndef area(r):\n    return 2 * math.pi * r\n```"
RIGHT = "```python\ndef area(r):\n    return math.pi * r ** 2\n```"
HOSTILE = "```python\nimport os\nos._exit(0)\n```"


def asked(text: str) -> Problem:
    question = f"Complete this Python function.\n\n{text}"
    return Problem(messages=(Message(role="user", content=question),), form="code", sampling=Sampling(seed=0))


def verdict(seen: list[Event]) -> Verdict:
    [found] = [e for e in seen if isinstance(e, Verdict)]
    return found


async def test_a_sample_that_fails_its_examples_is_drawn_again(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(default=Reply(texts=(WRONG, HOSTILE, RIGHT, WRONG)))
    answer = await Code().solve(asked(EXAMPLES), context_for())
    assert scripted.stats.requests == 3
    assert answer.evidence.program_ran is True
    # The import above the stub comes along, since the model left it out.
    assert answer.text.startswith("```python\nimport math")
    assert "r ** 2" in answer.text
    assert verdict(seen).accepted is True


async def test_without_a_passing_sample_the_best_one_is_returned_unsupported(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    scripted.script = Script(default=Reply(texts=(HOSTILE, WRONG)))
    answer = await Code(CodeOptions(n=2)).solve(asked(EXAMPLES), context_for())
    assert (answer.evidence.program_ran, answer.evidence.agreement) == (False, 0.5)
    assert "2 * math.pi" in answer.text
    assert verdict(seen).accepted is False


async def test_without_examples_the_models_own_tests_rank_and_prove_nothing(
    scripted: ScriptedServer, context_for: ContextFor, seen: list[Event]
) -> None:
    tests = "```python\nassert area(0) == 0\nassert area(2) > 12\nassert area(\nprint('x')\n```"
    scripted.script = Script(replies=(say(tests, match="assert statements"),), default=Reply(texts=(WRONG, RIGHT)))
    answer = await Code(CodeOptions(n=1)).solve(asked(STUB.format("")), context_for())
    assert (answer.evidence.program_ran, answer.evidence.agreement, answer.evidence.votes) == (None, 1.0, 2)
    assert verdict(seen).accepted is None


def test_a_stub_is_assessed_as_code() -> None:
    assert assess([Message(role="user", content=f"Complete this:\n\n{EXAMPLES}")]).form == "code"
