"""Files shared in a thread, as far as they are text, as documents quoted in the message that shared them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from web.slack.question import SharedFile
from web.slack.wording import shortened

_TEXT_TYPES = ("application/json", "application/xml", "application/x-yaml", "application/javascript", "application/sql")
_NAME_CHARACTERS = 120
_FILES = 10
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Document:
    """A file's text, perhaps only its beginning; ``problem`` says why there is none."""

    name: str
    text: str = ""
    shortened: bool = False
    problem: str = ""

    def quoted(self) -> str:
        """The document as it stands in a message."""
        if self.problem:
            return f"[The file {self.name} was left out: {self.problem}.]"
        ending = "\n[The rest of the file was left out.]" if self.shortened else ""
        return f"The file {self.name}:\n<document>\n{self.text.rstrip()}\n</document>{ending}"


class Documents:
    """Fetches files from Slack and from nowhere else: the request carries the bot's token.

    ``file_bytes`` bounds one file (0: none is fetched), ``characters`` all of a conversation.
    """

    def __init__(self, session: aiohttp.ClientSession, api_url: str, file_bytes: int, characters: int) -> None:
        self._session = session
        self._api = urlsplit(api_url)
        self._file_bytes = file_bytes
        self.characters = characters

    async def read(self, files: Sequence[SharedFile], token: str, room: int) -> list[Document]:
        """The documents of one message, in at most ``room`` characters together."""
        found = await asyncio.gather(*(self._read(file, token) for file in files[:_FILES]))
        documents = []
        for document in found:
            text = document.text[:room]
            room -= len(text)
            cut = document.shortened or len(text) < len(document.text)
            problem = document.problem or ("" if text else "there is no room left for it")
            documents.append(Document(document.name, text, cut, problem))
        if len(files) > _FILES:
            documents.append(Document(f"{len(files) - _FILES} more files", problem=f"{_FILES} are read at most"))
        return documents

    async def _read(self, file: SharedFile, token: str) -> Document:
        name = shortened(file.name, _NAME_CHARACTERS) or "without a name"
        problem = self._refused(file)
        if problem:
            return Document(name, problem=problem)
        try:
            async with asyncio.timeout(_SECONDS):
                data, problem = await self._fetch(file.url, token)
        except (aiohttp.ClientError, TimeoutError) as error:
            return Document(name, problem=f"Slack did not deliver it ({type(error).__name__})")
        if problem:
            return Document(name, problem=problem)
        cut = len(data) > self._file_bytes
        text = _text(data[: self._file_bytes])
        if text is None:
            return Document(name, problem="it is not text")
        return Document(name, text, cut, "" if text.strip() else "it is empty")

    def _refused(self, file: SharedFile) -> str:
        if not self._file_bytes:
            return "files are not read here"
        if not _is_text(file.media_type):
            return f"{file.media_type} is not text"
        url = urlsplit(file.url)
        host, own = url.hostname or "", self._api.hostname or ""
        if file.mode == "external" or url.scheme != self._api.scheme or not (host == own or host.endswith(f".{own}")):
            return "it is not stored in Slack"
        return ""

    async def _fetch(self, url: str, token: str) -> tuple[bytes, str]:
        headers = {"authorization": f"Bearer {token}"}
        async with self._session.get(url, headers=headers, allow_redirects=False) as response:
            # Without the permission Slack answers with its login page, or sends there.
            if response.status != 200 or response.content_type == "text/html":
                return b"", f"Slack refused it (status {response.status}); does the bot have the scope files:read?"
            data = bytearray()
            async for part in response.content.iter_chunked(65_536):
                data += part
                if len(data) > self._file_bytes:
                    break
            return bytes(data), ""


def _is_text(media_type: str) -> bool:
    kind = media_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(("+json", "+xml"))


def _text(data: bytes) -> str | None:
    """Text in UTF-8, whose last character may be cut off; None if it is something else."""
    for end in range(len(data), max(-1, len(data) - 4), -1):
        try:
            text = data[:end].decode("utf-8-sig")
        except UnicodeDecodeError:
            continue
        return None if "\x00" in text else text
    return None
