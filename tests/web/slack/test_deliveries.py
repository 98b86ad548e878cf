"""How Slack's deliveries are taken: signed, once, in time, in any order."""

import asyncio
import time

import pytest

from tests.waiting import eventually
from tests.web.slack.conftest import Bot, StartBot
from tests.web.slack.slack_delivery import gone_through
from tests.web.slack.slack_server import BOT, BOT_USER, SECRET, SlackServer


async def test_a_delivery_that_comes_again_is_answered_once(bot: Bot) -> None:
    event = bot.slack.say("hello")
    body = bot.slack.envelope(event, "Ev77")
    statuses = [(await bot.deliver.post(body, retry=retry)).status_code for retry in (0, 1, 2, 3)]
    assert statuses == [200, 200, 200, 200]
    await bot.answered(event)
    assert len(bot.runs.runs) == 1


async def test_deliveries_of_one_event_at_the_same_moment_are_answered_once(bot: Bot) -> None:
    event = bot.slack.say("hello")
    body = bot.slack.envelope(event, "Ev78")
    assert await gone_through([bot.deliver.post(body, retry=retry) for retry in range(8)]) == [200] * 8
    await bot.answered(event)
    assert len(bot.runs.runs) == 1


async def test_a_mention_that_comes_as_mention_and_as_message_is_answered_once(bot: Bot) -> None:
    message = bot.slack.say(f"<@{BOT_USER}> hello", channel="C1")
    mention = {**message, "type": "app_mention"}
    await gone_through([bot.deliver.event(mention), bot.deliver.event(message)])
    await bot.answered(message)
    await asyncio.sleep(0.3)
    assert len(bot.runs.runs) == 1


async def test_two_gateways_answer_a_question_once(start_bot: StartBot) -> None:
    async with start_bot() as one, start_bot() as other:
        event = one.slack.say("hello")
        body = one.slack.envelope(event)
        await gone_through([one.deliver.post(body), other.deliver.post(body, retry=1)])
        await one.answered(event)
        assert len(one.runs.runs) + len(other.runs.runs) == 1


async def test_what_slack_has_not_signed_is_refused(bot: Bot) -> None:
    event = bot.slack.say("hello")
    body = bot.slack.envelope(event)
    assert (await bot.deliver.post(body, secret="another")).status_code == 401
    assert (await bot.deliver.post(body, age=301)).status_code == 401
    assert (await bot.deliver.post(body, age=-301)).status_code == 401
    async with bot.gateway.client() as client:
        unsigned = await client.post("/slack/events", json=body)
        assert unsigned.status_code == 401
        assert "not signed by Slack" in unsigned.json()["error"]["message"]
        strange = {"x-slack-signature": "v0=é", "x-slack-request-timestamp": "now"}
        headers = {name: value.encode() for name, value in strange.items()}
        assert (await client.post("/slack/events", content=b"\xff", headers=headers)).status_code == 401
    assert not bot.runs.runs
    assert (await bot.deliver.post(body)).status_code == 200
    await bot.answered(event)


async def test_a_body_that_is_too_large_is_refused(start_bot: StartBot) -> None:
    async with start_bot({"body_bytes": 2000}) as bot:
        assert (await bot.deliver.event(bot.slack.say("x" * 3000))).status_code == 413


async def test_a_signed_body_that_is_no_json_is_refused(bot: Bot) -> None:
    response = await bot.deliver._signed("{broken", "application/json", 0, 0, SECRET)
    assert response.status_code == 400


async def test_the_address_is_confirmed(bot: Bot) -> None:
    response = await bot.deliver.post({"type": "url_verification", "challenge": "3eZbrw", "token": "unused"})
    assert response.json() == {"challenge": "3eZbrw"}


async def test_slack_has_its_answer_at_once_while_the_model_is_slow(bot: Bot) -> None:
    event = bot.slack.say("forever")
    started = time.monotonic()
    assert (await bot.deliver.event(event)).status_code == 200
    assert time.monotonic() - started < 3
    await eventually(lambda: bool(bot.slack.statuses))


async def test_the_bot_answers_neither_itself_nor_other_bots_nor_edits(bot: Bot) -> None:
    by_others = [
        {"user": BOT_USER, "bot_id": BOT},
        {"user": BOT_USER},
        {"user": "U5", "bot_id": "B5"},
        {"user": "U5", "bot_id": "B5", "subtype": "bot_message"},
        {"user": "U1", "subtype": "message_changed", "message": {"text": "hello", "user": "U1"}},
        {"user": "U1", "subtype": "message_deleted"},
        {"user": "USLACKBOT"},
    ]
    for more in by_others:
        event = bot.slack.say("hello") | more
        assert (await bot.deliver.event(event)).status_code == 200
    mention = bot.slack.say(f"<@{BOT_USER}> hello", channel="C1") | {"type": "app_mention", "bot_id": "B5"}
    assert (await bot.deliver.event(mention)).status_code == 200
    await bot.answered(await bot.ask("hi"))
    assert len(bot.runs.runs) == 1


async def test_messages_that_arrive_out_of_order_each_see_the_thread_before_them(bot: Bot) -> None:
    root = bot.slack.say("first")
    second = bot.slack.say("second", thread=root["ts"])
    third = bot.slack.say("third", thread=root["ts"])
    for event in (third, root, second):
        assert (await bot.deliver.event(event)).status_code == 200
    await bot.answered(root, count=3)
    asked = {
        record.request.messages[-1].content: [
            message.content for message in record.request.messages if message.role == "user"
        ]
        for record in (run.record for run in bot.runs.runs.values())
    }
    assert asked == {
        "first": ["first"],
        "second": ["first", "second"],
        "third": ["first", "second", "third"],
    }


async def test_a_full_bot_asks_slack_to_send_again_and_answers_then(start_bot: StartBot) -> None:
    async with start_bot(answers_at_once=1) as bot:
        slow = await bot.ask("forever")
        event = bot.slack.say("hello")
        body = bot.slack.envelope(event)
        assert (await bot.deliver.post(body)).status_code == 503
        run = await bot.under_way()
        await bot.runs.cancel(run.record.id, run.record.owner)
        await bot.answered(slow)

        async def taken() -> bool:
            return (await bot.deliver.post(body, retry=1)).status_code == 200

        async with asyncio.timeout(10):
            while not await taken():
                await asyncio.sleep(0.05)
        await bot.answered(event)


async def test_fifty_threads_at_once_are_each_answered_once(start_bot: StartBot) -> None:
    async with start_bot() as bot:
        bot.slack.limit("chat.startStream", 1, times=3)
        bot.slack.limit("chat.appendStream", 1, times=3)
        bot.slack.limit("chat.stopStream", 1, times=3)
        events = [
            bot.slack.say(f"question {number}", user=f"U{number % 7 + 1}", channel=f"D{number % 7 + 1}")
            for number in range(50)
        ]
        deliveries = [bot.deliver.event(event, f"Many{index}") for index, event in enumerate(events)]
        again = [bot.deliver.event(event, f"Many{index}", retry=1) for index, event in enumerate(events)]
        assert await gone_through([*deliveries, *again]) == [200] * 100
        for number, event in enumerate(events):
            answer = await bot.answered(event, seconds=60)
            assert answer.text.strip() == f"You said: question {number}"
        assert len(bot.runs.runs) == 50


async def test_a_gateway_without_the_bot_says_so(start_bot: StartBot, monkeypatch: pytest.MonkeyPatch) -> None:
    async with start_bot(enabled=False) as bot:
        response = await bot.deliver.event(bot.slack.say("hello"))
        assert response.status_code == 404
        assert "[slack]" in response.json()["error"]["message"]
    monkeypatch.delenv("SLACK_BOT_TOKEN")
    async with start_bot() as bot:
        assert (await bot.deliver.event(bot.slack.say("hello"))).status_code == 404
        assert "$SLACK_BOT_TOKEN is not set" in bot.gateway.logs.getvalue()


async def test_a_token_that_slack_does_not_take_is_reported(start_bot: StartBot, slack: SlackServer) -> None:
    slack.tokens.clear()
    async with start_bot() as bot:
        await eventually(lambda: "slack does not take the bot token" in bot.gateway.logs.getvalue())
        assert (await bot.deliver.event(bot.slack.say("hello"))).status_code == 500
