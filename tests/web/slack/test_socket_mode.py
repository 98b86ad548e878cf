"""The same bot without a public address."""

from tests.waiting import eventually
from tests.web.slack.conftest import StartBot


async def test_questions_come_through_the_socket_and_are_acknowledged(start_bot: StartBot) -> None:
    async with start_bot(mode="socket") as bot:
        await eventually(lambda: bot.slack.connections == 1)
        event = bot.slack.say("hello")
        envelope = await bot.slack.send_through_sockets("events_api", bot.slack.envelope(event))
        answer = await bot.answered(event)
        assert answer.text.strip() == "You said: hello"
        assert bot.slack.acknowledged == [envelope]


async def test_buttons_come_through_the_socket(start_bot: StartBot) -> None:
    async with start_bot(mode="socket") as bot:
        await eventually(lambda: bot.slack.connections == 1)
        event = bot.slack.say("hello")
        await bot.slack.send_through_sockets("events_api", bot.slack.envelope(event))
        answer = await bot.answered(event)
        await bot.slack.send_through_sockets("interactive", bot.slack.press(answer, "tandem_think_harder"))
        await bot.answered(event, count=2)


async def test_a_connection_that_slack_renews_is_made_again(start_bot: StartBot) -> None:
    async with start_bot(mode="socket") as bot:
        await eventually(lambda: bot.slack.connections == 1)
        await bot.slack.drop_socket()
        await eventually(lambda: bot.slack.connections == 2)
        event = bot.slack.say("hello")
        await bot.slack.send_through_sockets("events_api", bot.slack.envelope(event))
        await bot.answered(event)


async def test_nothing_comes_over_http(start_bot: StartBot) -> None:
    async with start_bot(mode="socket") as bot:
        assert (await bot.deliver.event(bot.slack.say("hello"))).status_code == 404
