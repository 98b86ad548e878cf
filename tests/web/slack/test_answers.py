"""A question in Slack, and what its asker sees."""

from tests.waiting import eventually
from tests.web.slack.conftest import Bot
from tests.web.slack.slack_server import BOT_USER


async def test_a_direct_message_is_answered_in_its_thread(bot: Bot) -> None:
    event = await bot.ask("hello there")
    answer = await bot.answered(event)
    assert answer.text.strip() == "You said: hello there"
    assert answer.thread == event["ts"]
    assert "`cot(small)`" in answer.footer
    assert "small 12" in answer.footer
    assert "0.1 s" in answer.footer
    assert "medium effort" in answer.footer
    assert [task.title for task in answer.tasks.values()] == ["Route cot(small)"]
    assert all(task.status == "complete" for task in answer.tasks.values())
    assert answer.button("tandem_feedback")
    assert answer.button("tandem_think_harder")


async def test_the_run_belongs_to_the_user_of_the_team_and_knows_its_thread(bot: Bot) -> None:
    event = await bot.ask("hello", user="U7")
    await bot.answered(event)
    [run] = bot.runs.runs.values()
    assert run.record.owner == "slack:T0TEAM:U7"
    assert run.record.request.thread == f"slack:T0TEAM:D1:{event['ts']}"


async def test_a_status_is_there_before_anything_else(bot: Bot) -> None:
    event = await bot.ask("hello")
    await bot.answered(event)
    assert bot.slack.statuses[0]["thread_ts"] == event["ts"]
    methods = [name for name, _, _ in bot.slack.calls if name != "auth.test"]
    assert methods[0] == "assistant.threads.setStatus"


async def test_a_mention_in_a_channel_is_answered_and_its_mark_is_not_part_of_the_question(bot: Bot) -> None:
    event = bot.slack.say(f"<@{BOT_USER}> what is 1 &lt; 2?", channel="C1")
    await bot.deliver.event({**event, "type": "app_mention"})
    answer = await bot.answered(event)
    assert answer.text.strip() == "You said: what is 1 < 2?"


async def test_talk_between_people_is_left_alone(bot: Bot) -> None:
    root = bot.slack.say("lunch?", channel="C1")
    reply = bot.slack.say("yes", channel="C1", user="U2", thread=root["ts"])
    for event in (root, reply):
        assert (await bot.deliver.event(event)).status_code == 200
    await bot.answered(await bot.ask("hi"))
    assert len(bot.runs.runs) == 1


async def test_an_assistant_thread_begins_with_suggestions(bot: Bot) -> None:
    thread = {"user_id": "U1", "channel_id": "D1", "thread_ts": "1700000000.000900", "context": {}}
    await bot.deliver.event({"type": "assistant_thread_started", "assistant_thread": thread, "event_ts": "1"})
    await eventually(lambda: bool(bot.slack.notes))
    [prompts] = bot.slack.notes
    assert prompts["thread_ts"] == "1700000000.000900"
    assert all(prompt["title"] and prompt["message"] for prompt in prompts["prompts"])


async def test_an_empty_mention_is_told_what_to_do(bot: Bot) -> None:
    event = await bot.ask(f"<@{BOT_USER}>", channel="C1")
    answer = await bot.written(event, "Ask me something")
    assert not bot.runs.runs
    assert not answer.blocks


async def test_a_failed_run_says_why_and_can_be_tried_harder(bot: Bot) -> None:
    event = await bot.ask("fail")
    answer = await bot.answered(event)
    assert "engine 'small' broke off; run `tandem doctor`" in answer.text
    assert "failed" in answer.footer


async def test_a_spent_budget_is_named(bot: Bot) -> None:
    answer = await bot.answered(await bot.ask("spend"))
    assert "the budget is spent" in answer.footer


async def test_a_refused_request_says_why(bot: Bot) -> None:
    answer = await bot.written(await bot.ask("refuse-long"), "I cannot answer this")
    assert "9000 tokens" in answer.text


async def test_reasoning_is_not_shown(bot: Bot) -> None:
    answer = await bot.answered(await bot.ask("think"))
    assert "six sevens" not in answer.text
    assert not any("six sevens" in f"{task.title}{task.details}{task.output}" for task in answer.tasks.values())
    assert any(task.title == "Difficulty 0.30" for task in answer.tasks.values())


async def test_an_answer_notifies_nobody(bot: Bot) -> None:
    answer = await bot.answered(await bot.ask("write &lt;!channel&gt; and &lt;@U2&gt; to all"))
    assert "channel>" in answer.text
    assert "<!channel>" not in answer.text
    assert "<@U2>" not in answer.text
