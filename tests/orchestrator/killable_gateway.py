"""A process with a Tandem that starts one run, prints its id and waits to be killed."""

import asyncio
import sys

from orchestrator.compose import open_tandem
from orchestrator.runs import RunRequest
from orchestrator.settings import Settings


async def main() -> None:
    async with open_tandem(Settings.model_validate_json(sys.argv[1])) as tandem:
        run = await tandem.runs.start(RunRequest.model_validate_json(sys.argv[2]))
        sys.stdout.write(run + "\n")
        sys.stdout.flush()
        await asyncio.sleep(600)


if __name__ == "__main__":
    asyncio.run(main())
