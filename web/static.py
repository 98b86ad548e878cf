"""The web UI's files, as they were built: what no endpoint answers to."""

import asyncio
import gzip
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

BUILT = Path(__file__).parent / "ui" / "dist"
_ASSETS = "assets/"
_API = "/v1/"
_MOST_KEPT = 500
_COMPRESSED = ("text/", "application/json", "application/manifest+json", "image/svg+xml")
_SECURITY: Mapping[str, str] = {
    # Nothing in a page may come from, or go, elsewhere: not even a picture that an answer names.
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data: blob:; style-src 'self'; font-src 'self'; connect-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tandem</title></head><body>
<h1>The web UI is not built</h1>
<p>Run <code>make ui</code> in Tandem's folder, or
<code>npm --prefix web/ui ci &amp;&amp; npm --prefix web/ui run build</code> with Node 20 or newer, and reload this
page. The API works without it: see <a href="/docs">its description</a>.</p>
</body></html>
"""


class _Route:
    """What the request's metrics and log line say instead of a path."""

    path = "ui"


@dataclass(frozen=True, slots=True)
class _Asset:
    changed: int
    plain: bytes
    packed: bytes | None
    media_type: str


class StaticUi:
    """An ASGI app over the folder ``built``, which may be built anew while this serves it."""

    def __init__(self, built: Path = BUILT) -> None:
        self._built = built
        self._kept: dict[Path, _Asset] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The app's own router may hand over whatever it cannot match, a WebSocket as well.
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        request = Request(scope, receive)
        response = await self._respond(request)
        if response is None:
            raise HTTPException(404)
        scope["route"] = _Route
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response | None:
        path = request.url.path
        if request.method not in ("GET", "HEAD") or path.startswith(_API):
            return None
        name = path.removeprefix("/")
        if name and name != "index.html":
            asset = await asyncio.to_thread(self._load, name)
            if asset is not None:
                return _answer(request, asset, lasting=name.startswith(_ASSETS))
            # A reload on an address that the page made up shows the page; a missing file is missing.
            if "." in name.rpartition("/")[2] or "text/html" not in request.headers.get("accept", ""):
                return None
        index = await asyncio.to_thread(self._load, "index.html")
        if index is None:
            return Response(_NOT_BUILT, 503, dict(_SECURITY), "text/html")
        return _answer(request, index, lasting=False)

    def _load(self, name: str) -> _Asset | None:
        try:
            path = (self._built / name).resolve()
        except ValueError:  # a null character
            return None
        if not path.is_relative_to(self._built.resolve()) or any(part.startswith(".") for part in Path(name).parts):
            return None
        try:
            changed = path.stat().st_mtime_ns
            known = self._kept.get(path)
            if known is not None and known.changed == changed:
                return known
            data = path.read_bytes()
        except OSError:  # not there, a folder, a name too long: nothing to serve in any case
            return None
        asset = _asset(path, changed, data)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[path] = asset
        return asset


def _asset(path: Path, changed: int, data: bytes) -> _Asset:
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    packed = gzip.compress(data, mtime=0) if media_type.startswith(_COMPRESSED) else None
    return _Asset(changed, data, packed if packed is not None and len(packed) < len(data) else None, media_type)


def _answer(request: Request, asset: _Asset, lasting: bool) -> Response:
    etag = f'"{asset.changed:x}-{len(asset.plain):x}"'
    headers = {
        **_SECURITY,
        "etag": etag,
        "vary": "accept-encoding",
        # The names of assets hold a digest of what is in them.
        "cache-control": "public, max-age=31536000, immutable" if lasting else "no-cache",
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(None, 304, headers)
    packed = asset.packed if "gzip" in request.headers.get("accept-encoding", "") else None
    if packed is not None:
        headers["content-encoding"] = "gzip"
    return Response(asset.plain if packed is None else packed, 200, headers, asset.media_type)
