"""What happens when Slack refuses: too many calls, no streaming, a message it does not take."""

import time

from tests.web.slack.conftest import Bot, StartBot


def _calls(bot: Bot, method: str) -> list[float]:
    return [when for name, _, when in bot.slack.calls if name == method]


async def test_a_rate_limit_is_waited_out(bot: Bot) -> None:
    bot.slack.limit("chat.startStream", 2)
    answer = await bot.answered(await bot.ask("hello"))
    first, second = _calls(bot, "chat.startStream")
    assert second - first >= 2
    assert answer.text.strip() == "You said: hello"


async def test_nobody_calls_a_method_while_it_is_closed(bot: Bot) -> None:
    bot.slack.limit("chat.stopStream", 2)
    one, other = await bot.ask("one"), await bot.ask("other", channel="D2", user="U2")
    await bot.answered(one)
    await bot.answered(other)
    calls = _calls(bot, "chat.stopStream")
    late = [when for when in calls[1:] if when - calls[0] < 0.5]
    assert len(late) <= 1  # a call that was under way when the first was refused
    assert len(calls) >= 3


async def test_where_slack_does_not_stream_the_answer_is_rewritten(bot: Bot) -> None:
    bot.slack.refuse("chat.startStream", "method_not_supported_for_channel_type", times=99)
    answer = await bot.answered(await bot.ask("hello"))
    assert answer.text.strip() == "You said: hello"
    assert bot.slack.counted("chat.postMessage") == 1
    assert "`cot(small)`" in answer.footer
    assert answer.metadata is not None
    assert [task.title for task in answer.tasks.values()] == ["Route cot(small)"]


async def test_a_stream_that_breaks_goes_on_in_the_same_message(bot: Bot) -> None:
    bot.slack.refuse("chat.appendStream", "message_not_in_streaming_state")
    bot.slack.refuse("chat.stopStream", "internal_error")
    event = await bot.ask("hello")
    answer = await bot.answered(event)
    assert answer.text.strip() == "You said: hello"
    assert len(bot.slack.answers(event["ts"])) == 1


async def test_a_workspace_without_plans_still_gets_its_answer(bot: Bot) -> None:
    bot.slack.refuse("chat.startStream", "not_allowed", times=99)
    bot.slack.refuse("chat.postMessage", "invalid_blocks")
    answer = await bot.answered(await bot.ask("hello"))
    assert answer.text.strip() == "You said: hello"
    assert not answer.tasks


async def test_where_there_is_no_status_the_answer_begins_at_once(bot: Bot) -> None:
    bot.slack.refuse("assistant.threads.setStatus", "missing_scope")
    started = time.monotonic()
    event = await bot.ask("slow-route")
    await bot.written(event, "")
    assert time.monotonic() - started < 5
    [message] = bot.slack.answers(event["ts"])
    assert message.streaming


async def test_a_long_answer_goes_on_over_several_messages(bot: Bot) -> None:
    question = "\n".join(f"line {number} {'x' * 90}" for number in range(300))
    event = await bot.ask(question)
    await bot.written(event, "line 299")
    answers = bot.slack.answers(event["ts"])
    assert len(answers) == 3
    assert all(len(answer.text) <= 12_000 for answer in answers)
    assert "".join(answer.text for answer in answers).strip() == f"You said: {question}"
    follow = await bot.ask("and now?", thread=event["ts"])
    await bot.written(follow, "and now?")
    newest = list(bot.runs.runs.values())[-1].record.request.messages
    assert [message.role for message in newest] == ["user", "assistant", "user"]


async def test_a_busy_gateway_delays_an_answer(start_bot: StartBot) -> None:
    async with start_bot({"concurrent_runs_per_key": 1}) as bot:
        slow = await bot.ask("forever")
        run = await bot.under_way()
        event = await bot.ask("hello")
        await bot.runs.cancel(run.record.id, run.record.owner)
        await bot.answered(slow)
        answer = await bot.answered(event)
        assert answer.text.strip() == "You said: hello"
