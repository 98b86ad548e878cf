"""SGLang's events, as its server sends them, read into tokens."""

from typing import Any

import pytest

from workers.engines.errors import EngineUnavailable, UnfitRequest
from workers.engines.protocol import Finish, Token
from workers.engines.sglang_stream import AnswerReader


def event(text: str, ids: list[int], finish: dict[str, Any] | None = None, **meta: Any) -> dict[str, Any]:
    counts = {"prompt_tokens": 3, "completion_tokens": len(ids), "cached_tokens": 2}
    return {"text": text, "output_ids": ids, "meta_info": {**counts, "finish_reason": finish, **meta}}


def logprobs(*ids: int) -> dict[str, Any]:
    return {
        "output_token_logprobs": [[-0.1 * i, i, None] for i in ids],
        "output_top_logprobs": [[[-0.1 * i, i, None], [-5.0, 99, None]] for i in ids],
    }


def texts(events: list[Token | Finish]) -> list[str]:
    return [event.text for event in events if isinstance(event, Token)]


STOP = {"type": "stop", "matched": 2}


def test_cumulative_events_become_deltas() -> None:
    reader = AnswerReader("e", (), incremental=False)
    first = reader.read(event("a", [5], **logprobs(5)))
    second = reader.read(event("abc", [5, 6, 7], **logprobs(5, 6, 7)))
    last = reader.read(event("abc", [5, 6, 7, 2], STOP, **logprobs(5, 6, 7, 2)))
    assert first == [Token(5, "a", -0.5, ((5, -0.5), (99, -5.0)))]
    assert [token.id for token in second if isinstance(token, Token)] == [6, 7]
    assert texts(second) == ["", "bc"]
    assert [event.logprob for event in second if isinstance(event, Token)] == pytest.approx([-0.6, -0.7])
    assert last[0] == Token(2, "", -0.2, ((2, -0.2), (99, -5.0)))
    assert isinstance(last[1], Finish)
    assert (last[1].reason, last[1].usage.cached) == ("stop", 2)


def test_a_server_that_streams_increments_gives_the_same() -> None:
    reader = AnswerReader("e", (), incremental=True)
    events = reader.read(event("a", [5], **logprobs(5)))
    events += reader.read(event("bc", [6, 7], {"type": "length", "length": 3}, **logprobs(6, 7)))
    assert [(token.id, token.text, token.logprob) for token in events if isinstance(token, Token)] == [
        (5, "a", -0.5),
        (6, "", pytest.approx(-0.6)),
        (7, "bc", pytest.approx(-0.7)),
    ]
    assert isinstance(events[-1], Finish)
    assert events[-1].reason == "length"


def test_what_may_become_a_stop_string_is_held_back() -> None:
    reader = AnswerReader("e", ("hello world", "###"), incremental=False)
    shown = texts(reader.read(event("Say hello", [1, 2])))
    shown += texts(reader.read(event("Say hello#", [1, 2, 3])))
    shown += texts(reader.read(event("Say hello# there hello", [1, 2, 3, 4])))
    # The server cuts the stop string; its tokens stay.
    shown += texts(reader.read(event("Say hello# there ", [1, 2, 3, 4, 5], {"type": "stop", "matched": "hello world"})))
    assert "".join(shown) == "Say hello# there "
    assert shown[1] == "Say "


def test_an_abort_with_a_status_is_an_error_and_without_is_a_finish() -> None:
    reader = AnswerReader("e", (), incremental=False)
    with pytest.raises(UnfitRequest, match="bad grammar"):
        reader.read(event("x", [1], {"type": "abort", "status_code": 400, "message": "bad grammar"}))
    with pytest.raises(EngineUnavailable, match="out of memory"):
        reader.read(event("x", [1], {"type": "abort", "status_code": 503, "message": "out of memory"}))
    (finish,) = reader.read(event("", [], {"type": "abort"}))
    assert isinstance(finish, Finish)
    assert finish.reason == "abort"


def test_a_value_that_the_server_declines_before_it_begins_is_the_requests_fault() -> None:
    reader = AnswerReader("e", (), incremental=False)
    with pytest.raises(UnfitRequest, match="top_p must be in") as refused:
        reader.read({"error": {"message": "top_p must be in (0, 1], got 0.0.", "code": 400}})
    assert refused.value.code == "unsupported_value"


def test_the_texts_of_the_alternatives_are_read_where_the_server_sends_them() -> None:
    tops = [[[-0.1, 5, "a"], [-2.0, 9, " b"]], [[-0.2, 6, "c"], [-3.0, 8, ""]]]
    found = AnswerReader("e", (), incremental=True).read(event("ac", [5, 6], output_top_logprobs=tops))
    assert [token.spellings for token in found if isinstance(token, Token)] == [("a", " b"), ("c", "")]
    bare = AnswerReader("e", (), incremental=True).read(event("a", [5], **logprobs(5)))
    assert [token.spellings for token in bare if isinstance(token, Token)] == [()]
