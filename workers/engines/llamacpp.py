"""Client of llama.cpp's server, through its native ``/completion``: ids in, ids and log-probabilities out."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import aiohttp
import jinja2
import orjson

from workers.engines.chat_template import ChatTemplate
from workers.engines.errors import EngineRefused, EngineUnavailable, check_ids, refusal
from workers.engines.protocol import Counted, EngineDescription, Finish, FinishReason, Generation, Sampling, Token
from workers.engines.server_sent import server_sent
from workers.usage import Usage

_KEPT_SECONDS = 0.05
_ATTEMPTS = 3
# Turns of every plain kind, with white space that templates trim or keep.
_PROBE = tuple(
    {"role": role, "content": content}
    for role, content in (("system", " s\n"), ("user", "a "), ("assistant", "\nb"), ("user", "c <&>\n\n"))
)
_STOP_TYPES: Mapping[str, FinishReason] = {"eos": "stop", "word": "stop", "limit": "length", "none": "abort"}


class LlamaCppEngine:
    """One llama.cpp server at ``url``. The HTTP session is opened on first use, inside the running event loop."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None
        self._description: EngineDescription | None = None
        self._template: ChatTemplate | None = None

    async def alive(self) -> None:
        await self._read("GET", "/health")

    async def describe(self) -> EngineDescription:
        if self._description is None:
            models = await self._json("GET", "/v1/models")
            props = await self._json("GET", "/props")
            self._template = await self._own_template(props)
            meta = models["data"][0]["meta"]
            self._description = EngineDescription(
                model=str(models["data"][0]["id"]),
                vocabulary=int(meta["n_vocab"]),
                context=int(props["default_generation_settings"]["n_ctx"]),
                slots=int(props["total_slots"]),
            )
        return self._description

    async def generate(self, generation: Generation) -> AsyncIterator[Token | Finish]:
        check_ids(self.name, generation.prompt, (await self.describe()).vocabulary)
        try:
            async with await self._open("POST", "/completion", _body(generation)) as response:
                await self._raise_for(response)
                async for data in server_sent(response.content):
                    _count(data, generation.counted)
                    for event in _events(data, self.name):
                        yield event
                        if isinstance(event, Finish):
                            return
            raise EngineUnavailable(f"engine {self.name!r} at {self._url} ended its answer without a finish; try again")
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise self._unavailable(error) from error

    async def tokenize(self, text: str) -> tuple[int, ...]:
        answer = await self._json("POST", "/tokenize", {"content": text, "parse_special": True})
        return tuple(answer["tokens"])

    async def detokenize(self, ids: Sequence[int]) -> str:
        return str((await self._json("POST", "/detokenize", {"tokens": list(ids)}))["content"])

    async def render(self, messages: Sequence[Mapping[str, Any]]) -> str:
        await self.describe()
        if self._template is not None and _plain(messages):
            return self._template.render(messages)
        return await self._rendered_there(messages)

    async def _rendered_there(self, messages: Sequence[Mapping[str, Any]]) -> str:
        return str((await self._json("POST", "/apply-template", {"messages": list(messages)}))["prompt"])

    async def _own_template(self, props: Mapping[str, Any]) -> ChatTemplate | None:
        """The server's template, to be rendered here without a round trip; None unless both render a probe alike."""
        source = props.get("chat_template")
        if not source:
            return None
        try:
            template = ChatTemplate(source, {name: props.get(name, "") for name in ("bos_token", "eos_token")})
            return template if template.render(_PROBE) == await self._rendered_there(_PROBE) else None
        except (EngineRefused, jinja2.TemplateError):
            return None

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            # A generation may be silent for long (queued behind others), so no total timeout: cancel ends it.
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
                # Rendering, tokenizing and generating follow each other on one connection. It is not kept for longer:
                # an idle one occupies a thread of llama.cpp's server, which closes it after five seconds, and a POST
                # that meets a closed one cannot be repeated safely.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEPT_SECONDS),
                read_bufsize=2**20,
            )
        return self._session

    async def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return orjson.loads(await self._read(method, path, body))

    async def _read(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        data = None if body is None else orjson.dumps(body)
        try:
            async with await self._open(method, path, data) as response:
                await self._raise_for(response)
                return await response.read()
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise self._unavailable(error) from error

    async def _open(self, method: str, path: str, data: bytes | None) -> aiohttp.ClientResponse:
        """Send a request and wait for its headers, again if the server hung up before it answered.

        Under load llama.cpp's HTTP server sometimes closes a connection it has just accepted, and it closes one after a
        stream that another request may have been given meanwhile; nothing was begun then.
        """
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._http().request(method, self._url + path, data=data)
            except aiohttp.ClientConnectorError:
                raise
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                # Until no kept connection is left: the others may be closing too.
                await asyncio.sleep(2 * _KEPT_SECONDS)
        return await self._http().request(method, self._url + path, data=data)

    async def _raise_for(self, response: aiohttp.ClientResponse) -> None:
        if response.status == 503:
            raise EngineUnavailable(f"engine {self.name!r} at {self._url} is still loading its model; try again soon")
        if response.status >= 400:
            text = (await response.text())[:500]
            raise refusal(f"engine {self.name!r} refused the request with {response.status}: {text}", response.status)

    def _unavailable(self, error: Exception) -> EngineUnavailable:
        return EngineUnavailable(
            f"engine {self.name!r} at {self._url} does not answer ({error}); start it with `tandem serve` or set "
            f"its url in tandem.toml"
        )


def _plain(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether these are turns like the probe's; llama.cpp rewrites tool calls and a begun answer in ways of its own."""
    if not messages or messages[-1]["role"] != "user":
        return False
    return all(
        message["role"] in ("system", "user", "assistant")
        and isinstance(message.get("content"), str)
        and not message.get("tool_calls")
        for message in messages
    )


def _body(generation: Generation) -> bytes:
    sampling = generation.sampling
    body: dict[str, Any] = {
        "prompt": list(generation.prompt),
        "stream": True,
        "return_tokens": True,
        "cache_prompt": True,
        "n_probs": generation.top_logprobs,
        # Else only the last event says how much of the prompt was in the cache, and a call cut short has none.
        "timings_per_token": True,
        **_sampling(sampling),
    }
    return orjson.dumps(body)


def _sampling(sampling: Sampling) -> dict[str, Any]:
    # llama.cpp's own defaults (top_k 40, min_p 0.05) would change the distribution the caller asked for.
    body: dict[str, Any] = {
        "n_predict": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": 0.0,
        "stop": list(sampling.stop),
    }
    if sampling.seed is not None:
        body["seed"] = sampling.seed
    if sampling.json_schema is not None:
        body["json_schema"] = dict(sampling.json_schema)
    return body


def _count(data: dict[str, Any], counted: Counted) -> None:
    counted.prompt = int(data.get("tokens_evaluated", counted.prompt))
    counted.cached = int(data.get("timings", {}).get("cache_n", counted.cached))


def _events(data: dict[str, Any], engine: str) -> list[Token | Finish]:
    if "error" in data:
        raise EngineRefused(f"engine {engine!r} broke off: {data['error'].get('message', data['error'])}")
    events: list[Token | Finish] = list(_tokens(data))
    if data.get("stop"):
        timings = data.get("timings", {})
        usage = Usage(
            prompt=int(data["tokens_evaluated"]),
            completion=int(data["tokens_predicted"]),
            cached=int(timings.get("cache_n", 0)),
        )
        events.append(Finish(reason=_STOP_TYPES.get(data.get("stop_type", ""), "stop"), usage=usage))
    return events


def _tokens(data: dict[str, Any]) -> list[Token]:
    ids: list[int] = data.get("tokens", [])
    probabilities: list[dict[str, Any]] = data.get("completion_probabilities", [])
    content = data.get("content", "")
    tokens: list[Token] = []
    for index, token in enumerate(ids):
        # The server holds text back while a stop string may be forming, then sends several ids with one text.
        text = content if index == len(ids) - 1 else ""
        entry = probabilities[index] if index < len(probabilities) else None
        tokens.append(_token(token, text, entry))
    if not ids and content:
        tokens.append(Token(id=-1, text=content))
    return tokens


def _token(token: int, text: str, entry: dict[str, Any] | None) -> Token:
    if entry is None:
        return Token(id=token, text=text)
    neighbours: Sequence[dict[str, Any]] = entry.get("top_logprobs", ())
    return Token(
        id=token,
        text=text,
        logprob=float(entry["logprob"]),
        top=tuple((int(item["id"]), float(item["logprob"])) for item in neighbours),
        spellings=tuple(str(item["token"]) for item in neighbours),
    )
