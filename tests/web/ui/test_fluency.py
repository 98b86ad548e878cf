"""How fluent the page is: measured and printed; asserted only against what a reader would call broken."""

import time
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from orchestrator.runs import RunRecord, RunRequest
from orchestrator.storage.database import Database
from orchestrator.storage.records import StoredTurn
from tests.waiting import eventually_async
from tests.web.ui.chat_page import ChatPage
from tests.web.ui.conftest import Stage, opened
from workers.engines.scripted.script import Reply
from workers.messages import Message

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROBE = """
window.probe = { before: 0, arrived: null, shown: null, tasks: [], frames: [] };
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.probe.tasks.push(Math.round(entry.duration));
}).observe({ type: "longtask", buffered: true });
const ask = window.fetch;
window.fetch = async (address, options) => {
    const response = await ask(address, options);
    if (!String(address).includes("/events") || !response.body) return response;
    const [seen, passed] = response.body.tee();
    const decoder = new TextDecoder();
    (async () => {
        for await (const chunk of seen) {
            if (window.probe.arrived === null && decoder.decode(chunk, { stream: true }).includes("content.delta")) {
                window.probe.arrived = performance.now();
            }
        }
    })().catch(() => undefined);
    return new Response(passed, { status: response.status, headers: response.headers });
};
new MutationObserver(() => {
    const answers = document.querySelectorAll(".answer");
    const answer = answers.length > window.probe.before ? [...answers].at(-1) : null;
    if (window.probe.shown === null && answer?.textContent.includes("§")) {
        window.probe.shown = -1;
        requestAnimationFrame(() => setTimeout(() => { window.probe.shown = performance.now(); }));
    }
}).observe(document, { childList: true, subtree: true, characterData: true });
window.watchFrames = () => {
    let last = performance.now();
    const next = (now) => { window.probe.frames.push(now - last); last = now; requestAnimationFrame(next); };
    requestAnimationFrame(next);
};
"""


async def probed(chat: ChatPage) -> None:
    await chat.context.add_init_script(PROBE)
    await chat.page.reload()


def told(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n  {text}")


async def test_the_first_words_are_on_the_screen_soon_after_they_arrive(
    chat: ChatPage, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.play(Reply(texts=("§ first words " + "and more " * 20,), delay=0.01))
    await probed(chat)
    taken = []
    for _ in range(5):
        await chat.page.evaluate(
            "probe.arrived = probe.shown = null; probe.before = document.querySelectorAll('.answer').length"
        )
        await chat.ask("Begin.")
        await expect(chat.last_answer).to_contain_text("first words")

        async def shown() -> bool:
            return bool(await chat.page.evaluate("probe.shown > 0 && probe.arrived !== null"))

        await eventually_async(shown)
        taken.append(await chat.page.evaluate("probe.shown - probe.arrived"))
        await chat.ended()
    told(capsys, f"first token on the screen after it arrived: {', '.join(f'{each:.0f}' for each in taken)} ms")
    assert min(taken) < 1000


async def test_an_answer_of_ten_thousand_tokens_streams_without_holding_up_the_page(
    browser: Browser, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    # The scripted tokenizer has one token a byte.
    paragraph = "Some **bold** words, `code`, and a line\nthat goes on.\n\n"
    text = (paragraph * (10_000 // len(paragraph) + 1))[:9_990] + " the end."
    stage.play(Reply(texts=(text,), delay=0.0005))
    async with opened(browser, stage.url) as chat:
        await probed(chat)
        await chat.page.evaluate("watchFrames()")
        conversation = await _running(stage, "Write a lot.", max_completion_tokens=20_000)
        started = time.monotonic()
        await chat.page.evaluate(f"location.hash = '#/c/{conversation}'")
        await expect(chat.last_answer).to_contain_text("the end.", timeout=120_000)
        seconds = time.monotonic() - started
        await chat.ended()
        frames, tasks = await _frames(chat), await chat.page.evaluate("probe.tasks")
    told(
        capsys,
        f"10,000 tokens in {seconds:.1f} s: {len(frames)} frames, 95 % within "
        f"{frames[int(len(frames) * 0.95)]:.0f} ms, longest {frames[-1]:.0f} ms; {len(tasks)} tasks over 50 ms, "
        f"longest {max(tasks, default=0)} ms",
    )
    assert frames[-1] < 3000


async def test_a_conversation_of_two_thousand_messages_scrolls(
    browser: Browser, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    conversation = await _long_conversation(stage, 1000)
    async with opened(browser, stage.url) as chat:
        await probed(chat)
        started = time.monotonic()
        await chat.page.goto(f"{stage.url}/#/c/{conversation}")
        await expect(chat.page.get_by_text("Answer 999", exact=False).first).to_be_visible(timeout=60_000)
        opening = time.monotonic() - started
        await chat.page.wait_for_timeout(1000)
        to_open = await chat.page.evaluate("probe.tasks.splice(0)")
        await chat.page.mouse.move(700, 400)
        for step in range(120):
            await chat.page.mouse.wheel(0, -1500 if step < 80 else 1500)
            await chat.page.wait_for_timeout(16)
        tasks = await chat.page.evaluate("probe.tasks")
        told(
            capsys,
            f"2,000 messages open in {opening:.1f} s (longest task {max(to_open, default=0)} ms); scrolling 120,000 "
            f"pixels: {len(tasks)} tasks over 50 ms, longest {max(tasks, default=0)} ms",
        )
        assert max(tasks, default=0) < 1500
        await chat.page.get_by_label("Conversation", exact=True).evaluate("box => box.scrollTo(0, 0)")
        await expect(chat.page.get_by_text("Question 0 ", exact=False).first).to_be_in_viewport()


async def _frames(chat: ChatPage) -> list[float]:
    """Milliseconds from frame to frame, shortest first."""
    found: list[Any] = await chat.page.evaluate("probe.frames")
    return sorted(float(each) for each in found)


async def _running(stage: Stage, question: str, **fields: Any) -> str:
    """A conversation whose only question is being answered; its id. The chat itself asks for shorter answers."""
    async with stage.api() as api:
        body = {"model": "large", "messages": [{"role": "user", "content": question}], **fields}
        budget = {"tokens": 100_000, "calls": 10, "seconds": 600}
        run = (await api.post("/v1/runs", json={**body, "tandem": {"budget": budget}})).json()["id"]
    async with Database.open(stage.database_url) as database:
        conversation = (await database.create_conversation("local", question)).id
        turns = [_turn(conversation, "big-q", None, question, 0), _turn(conversation, "big-a", "big-q", run, 0)]
        await database.add_turns(conversation, "local", turns)
    return conversation


def _turn(conversation: str, turn: str, parent: str | None, said: str, created: float) -> StoredTurn:
    """A question that says ``said``, or after a question the answer of the run ``said``."""
    answers = parent is not None and turn.rpartition("-")[2].startswith("a")
    return StoredTurn(
        id=turn,
        conversation=conversation,
        parent=parent,
        role="assistant" if answers else "user",
        content="" if answers else said,
        created=created or time.time(),
        run=said if answers else None,
    )


async def _long_conversation(stage: Stage, exchanges: int) -> str:
    """A conversation as many runs would have left it; its id."""
    now = time.time() - 10_000
    async with Database.open(stage.database_url) as database:
        conversation = (await database.create_conversation("local", "A long one")).id
        turns: list[StoredTurn] = []
        parent = None
        for index in range(exchanges):
            said = f"Question {index} about **something** that takes a line or two to ask in full."
            text = f"Answer {index}.\n\n* a point\n* `another`\n\n```python\nprint({index})\n```\n\nAnd a closing line."
            record = RunRecord(
                id=f"long-run-{index}",
                owner="local",
                status="answered",
                request=RunRequest(messages=(Message(role="user", content=said),)),
                created=now + index,
                route="direct(large)",
                text=text,
            )
            await database.save_run(record)
            turns.append(_turn(conversation, f"long-q{index}", parent, said, record.created))
            turns.append(_turn(conversation, f"long-a{index}", turns[-1].id, record.id, record.created))
            parent = turns[-1].id
        await database.add_turns(conversation, "local", turns)
    return conversation
