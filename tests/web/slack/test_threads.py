"""The thread as the conversation: what was said, the files in it, and gateways that come and go."""

from typing import Any

import pytest

from tests.waiting import eventually
from tests.web.slack.conftest import Bot, StartBot
from tests.web.slack.slack_server import SECRET
from workers.messages import Message


def _newest(bot: Bot) -> tuple[Message, ...]:
    return list(bot.runs.runs.values())[-1].record.request.messages


async def test_a_thread_is_read_as_a_conversation(bot: Bot) -> None:
    event = await bot.ask("hello")
    await bot.answered(event)
    bot.slack.say("beep", thread=event["ts"], user="U5", bot_id="B5")
    bot.slack.messages["D1", bot.slack._time()] = bot.slack.messages["D1", event["ts"]]
    follow = await bot.ask("and <https://example.org|this>?", thread=event["ts"])
    await bot.answered(follow, count=2)
    said = [(m.role, m.content) for m in _newest(bot)]
    assert said[0] == ("user", "hello")
    assert ("assistant", "You said: hello ") in said
    assert said[-1] == ("user", "and this (https://example.org)?")


async def test_a_thread_that_cannot_be_read_leaves_the_question(bot: Bot) -> None:
    event = await bot.ask("hello")
    await bot.answered(event)
    bot.slack.refuse("conversations.replies", "missing_scope")
    await bot.answered(await bot.ask("go on", thread=event["ts"]), count=2)
    assert [m.content for m in _newest(bot)] == ["go on"]


async def test_a_text_file_becomes_a_document_in_the_message(bot: Bot) -> None:
    table = bot.slack.share("prices.csv", b"item,price\npear,3\n", "text/csv")
    picture = bot.slack.share("photo.png", b"\x89PNG", "image/png")
    event = await bot.ask("what is a pear?", files=(table, picture))
    await bot.answered(event)
    [message] = _newest(bot)
    assert message.content.startswith("what is a pear?")
    assert "The file prices.csv:\n<document>\nitem,price\npear,3\n</document>" in message.content
    assert "[The file photo.png was left out: image/png is not text.]" in message.content


async def test_files_are_bounded_and_fetched_from_slack_only(start_bot: StartBot) -> None:
    async with start_bot(file_bytes=10, document_characters=15) as bot:
        elsewhere = {"url_private_download": "http://example.org/secret", "url_private": "http://example.org/secret"}
        files: tuple[dict[str, Any], ...] = (
            bot.slack.share("a.txt", b"0123456789abcdef"),
            bot.slack.share("b.txt", b"ABCDEFGHIJKLMNOP"),
            bot.slack.share("c.txt", b"never", **elsewhere),
            bot.slack.share("d.txt", b"\x00\x01"),
        )
        await bot.answered(await bot.ask("read", files=files))
        [message] = _newest(bot)
    assert "<document>\n0123456789\n</document>\n[The rest of the file was left out.]" in message.content
    assert "<document>\nABCDE\n</document>" in message.content
    assert "c.txt was left out: it is not stored in Slack" in message.content
    assert "d.txt was left out: it is not text" in message.content


async def test_files_are_left_alone_where_the_settings_say_so(start_bot: StartBot) -> None:
    async with start_bot(file_bytes=0) as bot:
        await bot.answered(await bot.ask("read", files=(bot.slack.share("a.txt", b"secret"),)))
        [message] = _newest(bot)
    assert message.content == "read\n\n[The file a.txt was left out: files are not read here.]"


async def test_a_question_is_finished_by_the_next_gateway(start_bot: StartBot) -> None:
    async with start_bot() as first:
        event = await first.ask("stall")
        await first.written(event, "You said: stall")
        await eventually(lambda: "tandem_stop" in str([m.blocks for m in first.slack.messages.values()]), 15)
    async with start_bot() as second:
        # The scripted runs end with their gateway, so that the question is asked anew.
        await second.written(event, "You said: stall")
        run = await second.under_way()
        assert run.record.request.messages[-1].content == "stall"
        await second.runs.cancel(run.record.id, run.record.owner)
        answer = await second.answered(event)
        assert "stopped" in answer.footer
        assert len(second.slack.answers(event["ts"])) == 1
        await eventually(
            lambda: all("tandem_stop" not in str(m.blocks) or m.deleted for m in second.slack.messages.values())
        )


# slack_sdk says who it is in a way that aiohttp will drop one day.
@pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")
async def test_workspaces_install_the_bot_and_are_answered_with_their_own_token(
    start_bot: StartBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", SECRET)
    redirect = "https://tandem.example/slack/oauth_redirect"
    async with start_bot(workspaces="many", redirect_url=redirect) as bot, bot.gateway.client() as browser:
        page = await browser.get("/slack/install")
        state = page.headers["set-cookie"].split("=", 1)[1].split(";")[0]
        assert f"{bot.slack.url}/oauth/v2/authorize?state={state}" in page.text.replace("&amp;", "&")
        cookie = {"cookie": page.headers["set-cookie"].split(";")[0]}
        forged = await browser.get("/slack/oauth_redirect?code=good&state=other", headers=cookie)
        assert forged.status_code == 400
        done = await browser.get(f"/slack/oauth_redirect?code=good&state={state}", headers=cookie)
        assert done.status_code == 200
        again = await browser.get(f"/slack/oauth_redirect?code=good&state={state}", headers=cookie)
        assert again.status_code == 401

        event = bot.slack.say("hello")
        await bot.deliver.event(event, team="T0NEVER")
        await bot.deliver.event(event, team="T0OTHER")
        await bot.answered(event)
        [run] = bot.runs.runs.values()
        assert run.record.owner == "slack:T0OTHER:U1"

        await bot.deliver.event({"type": "app_uninstalled"}, team="T0OTHER")
        await bot.deliver.event(bot.slack.say("still there?"), team="T0OTHER")
        assert len(bot.runs.runs) == 1
