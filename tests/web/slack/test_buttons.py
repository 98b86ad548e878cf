"""Stop, think harder, feedback, quick replies."""

from tests.waiting import eventually, eventually_async
from tests.web.slack.conftest import Bot
from tests.web.slack.posted import Posted


def _stop_message(bot: Bot) -> Posted | None:
    return next(
        (m for m in bot.slack.messages.values() if not m.deleted and any("tandem_stop" in str(b) for b in m.blocks)),
        None,
    )


async def _stop_button(bot: Bot) -> Posted:
    await eventually(lambda: _stop_message(bot) is not None, 15)
    message = _stop_message(bot)
    assert message is not None
    return message


async def test_stop_ends_the_run_and_the_button_goes_with_it(bot: Bot) -> None:
    event = await bot.ask("stall")
    message = await _stop_button(bot)
    assert message.thread == event["ts"]
    assert (await bot.deliver.interaction(bot.slack.press(message, "tandem_stop"))).status_code == 200
    answer = await bot.answered(event)
    assert answer.text.startswith("You said: stall")
    assert "stopped" in answer.footer
    [run] = bot.runs.runs.values()
    assert run.cancelled
    await eventually(lambda: message.deleted)


async def test_only_the_asker_stops_an_answer(bot: Bot) -> None:
    await bot.ask("stall")
    message = await _stop_button(bot)
    await bot.deliver.interaction(bot.slack.press(message, "tandem_stop", user="U2"))
    await eventually(lambda: bool(bot.slack.notes))
    assert "<@U1>" in bot.slack.notes[0]["text"]
    assert bot.slack.notes[0]["user"] == "U2"
    [run] = bot.runs.runs.values()
    assert not run.cancelled


async def test_thinking_harder_asks_the_same_question_once_more_at_more_effort(bot: Bot) -> None:
    event = await bot.ask("hello")
    answer = await bot.answered(event)
    press = bot.slack.press(answer, "tandem_think_harder", user="U2")
    for _ in range(2):
        await bot.deliver.interaction(press)
    harder = await bot.answered(event, count=2)
    assert harder.text.strip() == "You said: hello"
    assert "high effort" in harder.footer
    assert "tandem_think_harder" not in str(harder.blocks)
    first, second = (run.record for run in bot.runs.runs.values())
    assert (second.owner, second.request.effort) == ("slack:T0TEAM:U2", "high")
    assert second.request.messages == first.request.messages


async def test_feedback_is_stored_with_the_run(bot: Bot) -> None:
    answer = await bot.answered(await bot.ask("hello"))
    button = answer.button("tandem_feedback")
    [run] = bot.runs.runs
    for choice, rating in (("negative_button", -1), ("positive_button", 1)):
        value = button[choice]["value"]
        await bot.deliver.interaction(bot.slack.press(answer, "tandem_feedback", value=value))

        async def stored(rating: int = rating) -> bool:
            found = await bot.gateway.tandem.database.feedback_on([run], "slack:T0TEAM:U1")
            return run in found and found[run].rating == rating

        await eventually_async(stored)
    await bot.deliver.interaction(bot.slack.press(answer, "tandem_feedback", user="U2", value=value))
    await eventually(lambda: any("Only <@U1>" in note["text"] for note in bot.slack.notes))


async def test_a_clarifying_question_is_asked_in_the_thread_and_its_reply_needs_no_mention(bot: Bot) -> None:
    event = await bot.ask("<@U0BOT> clarify", channel="C1")
    asked = await bot.answered(event)
    assert asked.text.strip() == "Which city?"
    bystander = bot.slack.say("no idea", channel="C1", user="U2", thread=event["ts"])
    await bot.deliver.event(bystander)
    reply = await bot.ask("Oslo", channel="C1", thread=event["ts"])
    answer = await bot.answered(reply, count=2)
    assert answer.text.strip() == "You said: Oslo"
    assert len(bot.runs.runs) == 2
    request = list(bot.runs.runs.values())[-1].record.request
    assert request.thread == f"slack:T0TEAM:C1:{event['ts']}"
    assert [(m.role, m.content) for m in request.messages] == [
        ("user", "clarify"),
        ("assistant", "Which city?"),
        ("user", "no idea"),
        ("user", "Oslo"),
    ]
    later = bot.slack.say("thanks", channel="C1", thread=event["ts"])
    await bot.deliver.event(later)
    await bot.answered(await bot.ask("hi"))
    assert len(bot.runs.runs) == 3


async def test_a_quick_reply_answers_the_clarifying_question(bot: Bot) -> None:
    event = await bot.ask("clarify")
    asked = await bot.answered(event)
    for _ in range(2):
        await bot.deliver.interaction(bot.slack.press(asked, "tandem_choice_1"))
    await bot.written(event, "You said: Bergen & Voss")
    assert len(bot.runs.runs) == 2
    request = list(bot.runs.runs.values())[-1].record.request
    assert [(m.role, m.content) for m in request.messages] == [
        ("user", "clarify"),
        ("assistant", "Which city?"),
        ("user", "Bergen & Voss"),
    ]


async def test_a_button_that_is_none_of_ours_does_nothing(bot: Bot) -> None:
    answer = await bot.answered(await bot.ask("hello"))
    for value in ("", "{}", "not json"):
        body = bot.slack.press(answer, "tandem_think_harder") | {}
        body["actions"] = [{**body["actions"][0], "value": value}]
        assert (await bot.deliver.interaction(body)).status_code == 200
    assert len(bot.runs.runs) == 1
