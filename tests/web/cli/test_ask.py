"""``tandem ask`` as a process, against a gateway that is one too."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from tests import processes
from tests.waiting import eventually
from workers.engines.scripted.script import Reply, Script
from workers.engines.scripted.server import ScriptedServer


async def test_a_gateway_that_stops_in_the_middle_of_an_answer_leaves_the_name_of_the_run(
    tmp_path: Path, redis_url: str, scripted: ScriptedServer
) -> None:
    scripted.script = Script(default=Reply(texts=("and on ",), delay=0.02, endless=True))
    port = processes.free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "TANDEM__STORAGE__DIRECTORY": str(tmp_path),
        "TANDEM__MODELS__SMALL__ENGINE__URL": scripted.url,
        "TANDEM__MODELS__LARGE__ENGINE__URL": scripted.url,
        "TANDEM__GATEWAY__PORT": str(port),
        "REDIS_URL": redis_url,
    }
    gateway = [sys.executable, "-m", "web.gateway"]
    with processes.running(
        gateway, lambda: processes.answers(f"{url}/healthz"), tmp_path / "log", environment=environment
    ) as pid:
        asking = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("tandem"),
            *("ask", "Tell me a story.", "--url", url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **environment, "COLUMNS": "300"},
        )
        try:
            await eventually(lambda: scripted.stats.tokens > 3, seconds=30)
            os.kill(pid, signal.SIGKILL)
            said, complained = await asyncio.wait_for(asking.communicate(), 30)
        finally:
            if asking.returncode is None:
                asking.kill()
    message = complained.decode()
    assert asking.returncode == 1
    assert said.startswith(b"and")
    assert "Traceback" not in message and f"{url}/v1/runs/" in message
