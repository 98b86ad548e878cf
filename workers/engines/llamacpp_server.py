"""llama.cpp's server in a process of its own: ``python -m workers.engines.llamacpp_server --model FILE --port N …``.

It listens on the loopback interface only, ends on SIGTERM and SIGINT, and never outlives its parent.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workers.parent_death import die_with_parent

_HOST = "127.0.0.1"
# Prompts of ended conversations kept in memory. llama.cpp's own default is 8 GiB.
_CACHE_MIB = 512
# One thread per open stream, and some for health checks and tokenizing meanwhile.
_HTTP_THREADS_BESIDE_SLOTS = 12
_LOG_ERRORS_AND_WARNINGS = 2


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """``context`` in tokens per slot; ``threads`` 0 takes every core this process may use. ``draft`` is a smaller model
    with the same tokenizer whose tokens the model verifies several at a time: exact speculative decoding."""

    model: Path
    port: int
    context: int
    slots: int
    threads: int
    alias: str
    draft: Path | None = None


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    if not options.model.is_file():
        raise SystemExit(f"model file {options.model} does not exist; run `tandem models fetch`")
    if options.draft is not None and not options.draft.is_file():
        raise SystemExit(
            f"draft model file {options.draft} does not exist; correct `draft` of the engine, or remove it"
        )
    die_with_parent()
    # Blocked before the server starts its threads, so that all of them inherit it and only sigwait() sees a signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    server = _serve(options)
    sys.stdout.write(f"serving {options.alias} on {server.listening_address}\n")
    sys.stdout.flush()
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    # Not an orderly teardown: joining the server's threads waits for generations that are still running.
    os._exit(0)


def _serve(options: ServerOptions) -> Any:
    # Imported here: loading the native library takes a while, and --help and a missing file need not wait for it.
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(options.model)
    parameters.model_alias = {options.alias}
    parameters.hostnames = [_HOST]
    parameters.port = options.port
    parameters.n_ctx = options.context * options.slots
    parameters.n_parallel = options.slots
    threads = options.threads or len(os.sched_getaffinity(0))
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.n_threads_http = options.slots + _HTTP_THREADS_BESIDE_SLOTS
    # The context is the settings' to choose, not to be shrunk to what seems to fit.
    parameters.fit_params = False
    # The warm-up decode spins on every core; two engines that start together would hold each other up for seconds.
    parameters.warmup = False
    parameters.cache_ram_mib = _CACHE_MIB
    parameters.endpoint_metrics = True
    parameters.endpoint_slots = True
    parameters.ui = False
    # Its default lets any web page that the user's browser has open talk to the engine.
    parameters.cors_origins = f"http://{_HOST}"
    parameters.verbosity = _LOG_ERRORS_AND_WARNINGS
    if options.draft is not None:
        parameters.speculative.types = [xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_DRAFT_SIMPLE]
        parameters.speculative.draft.mparams.path = str(options.draft)
        parameters.speculative.draft.cpuparams.n_threads = threads
        parameters.speculative.draft.cpuparams_batch.n_threads = threads
    return xllamacpp.Server(parameters)


def _parse(arguments: Sequence[str] | None) -> ServerOptions:
    parser = argparse.ArgumentParser(prog="python -m workers.engines.llamacpp_server", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="GGUF file")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--context", type=int, default=8192, help="tokens per slot")
    parser.add_argument("--slots", type=int, default=4, help="generations at once")
    parser.add_argument("--threads", type=int, default=0, help="0: all cores")
    parser.add_argument("--draft", type=Path, help="GGUF file of a smaller model to draft with")
    parser.add_argument("--alias", required=True, help="the name it goes by in /v1/models")
    return ServerOptions(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    main()
