"""Client of an SGLang server, through its native ``/generate``: ids in, ids and log-probabilities out.

Start the server with ``SGLANG_RETURN_ORIGINAL_LOGPROB=1``: only then are its log-probabilities those before
temperature, as ``Token`` promises. Seeds hold only with ``--enable-deterministic-inference``.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from workers.engines.chat_template import ChatTemplate, TokenizerFolderError, vocabulary_size
from workers.engines.errors import EngineUnavailable, check_ids, refusal
from workers.engines.protocol import Counted, EngineDescription, Finish, Generation, Sampling, Token
from workers.engines.server_sent import server_sent
from workers.engines.sglang_stream import AnswerReader
from workers.model_files.errors import ModelUnavailable
from workers.model_files.store import MODELS_DIRECTORY
from workers.model_files.tokenizers import TokenizerFolders

_ABORT_SECONDS = 2.0
_BROKEN = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError)


class SGLangEngine:
    """One SGLang server at ``url``. The HTTP session is opened on first use, inside the running event loop.

    ``tokenizer`` is a folder with the model's config.json, tokenizer_config.json and chat template, or a name on the
    model hub; empty means what the server itself names, which is a folder of its own machine or such a name. Files
    that have to be fetched are kept in ``models``.
    """

    def __init__(self, name: str, url: str, tokenizer: str | Path = "", models: str | Path = MODELS_DIRECTORY) -> None:
        self.name = name
        self._url = url.rstrip("/")
        self._tokenizer = str(tokenizer)
        self._models = Path(models)
        self._found: Path | None = None
        self._session: aiohttp.ClientSession | None = None
        self._description: EngineDescription | None = None
        self._template: ChatTemplate | None = None
        self._aborts: set[asyncio.Task[None]] = set()

    async def alive(self) -> None:
        await self._read("GET", "/health")

    async def describe(self) -> EngineDescription:
        if self._description is None:
            server = await self._json("GET", "/server_info")
            self._description = EngineDescription(
                model=str(server["served_model_name"]),
                vocabulary=await asyncio.to_thread(vocabulary_size, await self._folder()),
                # The server counts a few positions of its own against a request; this is what is left of its context.
                context=int(server["max_req_input_len"]),
                slots=int(server["max_running_requests"] or 1),
                extra={
                    "version": server["version"],
                    "seeded": bool(server.get("enable_deterministic_inference")),
                    "incremental": bool(server.get("incremental_streaming_output")),
                },
            )
        return self._description

    async def generate(self, generation: Generation) -> AsyncIterator[Token | Finish]:
        description = await self.describe()
        check_ids(self.name, generation.prompt, description.vocabulary)
        reader = AnswerReader(self.name, generation.sampling.stop, bool(description.extra["incremental"]))
        try:
            async with self._http().post(f"{self._url}/generate", json=_body(generation)) as response:
                await self._raise_for(response)
                async for data in server_sent(response.content):
                    _count(data, generation.counted)
                    for event in reader.read(data):
                        yield event
                        if isinstance(event, Finish):
                            return
            raise EngineUnavailable(f"engine {self.name!r} at {self._url} ended its answer without a finish; try again")
        except _BROKEN as error:
            raise self._unavailable(error) from error
        except (GeneratorExit, asyncio.CancelledError):
            # The server notices a dropped connection only after about two seconds, so it is told.
            await self._abort(generation.request_id)
            raise

    async def tokenize(self, text: str) -> tuple[int, ...]:
        answer = await self._json("POST", "/tokenize", {"prompt": text, "add_special_tokens": False})
        return tuple(answer["tokens"])

    async def detokenize(self, ids: Sequence[int]) -> str:
        check_ids(self.name, tuple(ids), (await self.describe()).vocabulary)
        answer = await self._json("POST", "/detokenize", {"tokens": list(ids), "skip_special_tokens": False})
        return str(answer["text"])

    async def render(self, messages: Sequence[Mapping[str, Any]]) -> str:
        if self._template is None:
            self._template = await asyncio.to_thread(ChatTemplate.from_folder, await self._folder())
        return self._template.render(messages)

    async def aclose(self) -> None:
        if self._aborts:
            await asyncio.wait(self._aborts)
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _folder(self) -> Path:
        """The tokenizer's folder. Raises ``TokenizerFolderError``."""
        if self._found is None:
            named = self._tokenizer or str((await self._json("GET", "/model_info"))["tokenizer_path"])
            folders = TokenizerFolders.from_environment(self._models)
            try:
                self._found = await asyncio.to_thread(folders.find, named)
            except ModelUnavailable as error:
                raise TokenizerFolderError(f"engine {self.name!r}: {error}") from error
        return self._found

    async def _abort(self, request_id: str) -> None:
        task = asyncio.create_task(self._post_abort(request_id))
        self._aborts.add(task)
        task.add_done_callback(self._aborts.discard)
        # Shielded: whoever cancels us a second time must not leave the generation running.
        await asyncio.shield(task)

    async def _post_abort(self, request_id: str) -> None:
        try:
            async with asyncio.timeout(_ABORT_SECONDS):
                async with self._http().post(f"{self._url}/abort_request", json={"rid": request_id}):
                    pass
        except (aiohttp.ClientError, TimeoutError):
            pass  # a server that cannot be told sees the dropped connection, only later

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            # A generation may be silent for long (queued behind others), so no total timeout: cancel ends it.
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
                # A POST that meets a kept connection the server has just closed cannot be repeated safely.
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                json_serialize=_dumps,
            )
        return self._session

    async def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return orjson.loads(await self._read(method, path, body))

    async def _read(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        try:
            async with self._http().request(method, self._url + path, json=body) as response:
                await self._raise_for(response)
                return await response.read()
        except _BROKEN as error:
            raise self._unavailable(error) from error

    async def _raise_for(self, response: aiohttp.ClientResponse) -> None:
        if response.status == 503:
            raise EngineUnavailable(f"engine {self.name!r} at {self._url} is still loading its model; try again soon")
        if response.status >= 400:
            text = (await response.text())[:500]
            raise refusal(f"engine {self.name!r} refused the request with {response.status}: {text}", response.status)

    def _unavailable(self, error: Exception) -> EngineUnavailable:
        return EngineUnavailable(
            f"engine {self.name!r} at {self._url} does not answer ({error}); start its SGLang server or set its url "
            "in tandem.toml"
        )


def _count(data: Mapping[str, Any], counted: Counted) -> None:
    meta: Mapping[str, Any] = data.get("meta_info", {})
    counted.prompt = int(meta.get("prompt_tokens") or counted.prompt)
    counted.cached = int(meta.get("cached_tokens") or counted.cached)


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def _body(generation: Generation) -> dict[str, Any]:
    body: dict[str, Any] = {
        "input_ids": list(generation.prompt),
        "sampling_params": _sampling(generation.sampling),
        "stream": True,
        "rid": generation.request_id,
    }
    if generation.top_logprobs > 0:
        # Only when asked: log-probabilities cost throughput.
        body |= {"return_logprob": True, "top_logprobs_num": generation.top_logprobs, "logprob_start_len": -1}
        body["return_text_in_logprobs"] = generation.spelled
    return body


def _sampling(sampling: Sampling) -> dict[str, Any]:
    # Every value is set: the server fills gaps from the model's generation_config.json.
    body: dict[str, Any] = {
        "max_new_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k if sampling.top_k > 0 else -1,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "frequency_penalty": 0.0,
        "presence_penalty": 0.0,
        "stop": list(sampling.stop),
    }
    if sampling.seed is not None:
        body["sampling_seed"] = sampling.seed
    if sampling.json_schema is not None:
        body["json_schema"] = _dumps(dict(sampling.json_schema))
    return body
