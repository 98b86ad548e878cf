"""What the native event stream leaves out, and what it says when the events are gone."""

from agents.events import ContentDelta, Event, HandedOver, ReasoningDelta, StepFinished, ToolFinished, ToolStarted
from tests.waiting import eventually_async
from tests.web.conftest import Gateway
from tests.web.test_native import begin
from web.native_api.events import without_reasoning
from workers.collaboration.protocol import Alternative, Written

TOKEN = Written(position=0, id=1, text="secret", model="small", alternatives=(Alternative(text="secret", logprob=-1),))


def test_nothing_of_the_raw_reasoning_is_left_whoever_wrote_it() -> None:
    hidden: list[Event] = [
        ReasoningDelta(step="1", text="secret", tokens=(TOKEN,)),
        StepFinished(step="1", text="secret"),
        ToolStarted(tool="python", input="secret"),
        ToolFinished(tool="python", output="secret", ok=True, seconds=0.1),
    ]
    for event in hidden:
        visible = without_reasoning(event)
        assert visible is None or "secret" not in visible.model_dump_json()
    for shown in (
        ContentDelta(text="answer", model="small", tokens=(TOKEN,)),
        HandedOver(step="1", position=3, origin="small", model="large", reason="unsure"),
    ):
        assert without_reasoning(shown) == shown


async def test_a_run_whose_events_have_expired_has_none_and_still_its_answer(gateway: Gateway) -> None:
    async with gateway.client() as client:
        run = await begin(client, "hi")

        async def ended() -> bool:
            return bool((await client.get(f"/v1/runs/{run}")).json()["status"] == "answered")

        await eventually_async(ended)
        del gateway.runs.runs[run]
        assert (await client.get(f"/v1/runs/{run}/events")).status_code == 204
        assert (await client.get(f"/v1/runs/{run}")).json()["text"] == "You said: hi "
        assert (await client.get("/v1/runs/unknown/events")).status_code == 404
