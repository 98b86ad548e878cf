"""Who calls: the verified key's holder, or the single user of this machine while no key was ever made."""

import ipaddress
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import urlsplit

from starlette.requests import Request

from orchestrator.runs import SINGLE_USER
from orchestrator.settings import GatewaySettings
from orchestrator.storage.records import ApiKey
from web.errors import ApiError, shown

# How long a revoked key, or the first key made, may take to be noticed by a running gateway.
_REMEMBER_SECONDS = 1.0
_REMEMBERED_KEYS = 1024
_MAX_TOKEN = 256
SESSION_COOKIE = "tandem_session"
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Identity:
    """``owner`` owns everything that the caller starts; the limits are those of the key or else of the settings."""

    owner: str
    may_see_reasoning: bool
    runs_per_minute: int
    concurrent_runs: int


class KeyStore(Protocol):
    async def verify_key(self, plain: str) -> ApiKey | None: ...

    async def any_key(self) -> bool: ...

    async def verify_session(self, cookie: str) -> ApiKey | None: ...


class Doorkeeper:
    """Identifies callers; what the database said is remembered for a second."""

    def __init__(self, keys: KeyStore, settings: GatewaySettings) -> None:
        self._keys = keys
        self._settings = settings
        self._verified: OrderedDict[tuple[str, str], tuple[float, ApiKey | None]] = OrderedDict()
        self._locked = False
        self._looked = -_REMEMBER_SECONDS

    async def identify(self, request: Request) -> Identity:
        """Raises ``ApiError`` 401 without a valid key, 403 where another web site may be asking in the user's name."""
        if not await self._key_needed():
            return self._single_user(request)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        cookie = request.cookies.get(SESSION_COOKIE, "")
        if scheme.lower() == "bearer" and token:
            return await self.holder(token)
        if cookie:
            return await self._logged_in(request, cookie)
        raise _unauthorized("no API key was given; send the header 'Authorization: Bearer tandem-…'")

    async def holder(self, plain: str) -> Identity:
        """Whose key it is. Raises ``ApiError`` 401 where it is nobody's."""
        key = await self._verify("key", plain)
        if key is None:
            raise _unauthorized("the API key is not in force; `tandem keys list` shows those that are")
        return self._identity(key)

    def forget(self, cookie: str) -> None:
        """The session has ended; do not let it live on for what is left of the second."""
        self._verified.pop(("session", cookie), None)

    async def _logged_in(self, request: Request, cookie: str) -> Identity:
        key = await self._verify("session", cookie)
        if key is None:
            raise _unauthorized("the login has ended; log in again with an API key")
        refuse_forgery(request)
        return self._identity(key)

    def _identity(self, key: ApiKey) -> Identity:
        return Identity(
            owner=key.id,
            may_see_reasoning=key.may_see_reasoning,
            runs_per_minute=key.runs_per_minute or self._settings.runs_per_minute,
            concurrent_runs=key.concurrent_runs or self._settings.concurrent_runs_per_key,
        )

    async def _key_needed(self) -> bool:
        if not self._locked and time.monotonic() - self._looked >= _REMEMBER_SECONDS:
            # Keys are revoked, never deleted: once there is one, there is no way back to the single user.
            self._locked = await self._keys.any_key()
            self._looked = time.monotonic()
        return self._locked

    async def _verify(self, kind: Literal["key", "session"], secret: str) -> ApiKey | None:
        if len(secret) > _MAX_TOKEN:
            return None
        known = self._verified.get((kind, secret))
        if known is not None and time.monotonic() < known[0]:
            return known[1]
        look_up = self._keys.verify_key if kind == "key" else self._keys.verify_session
        key = await look_up(secret)
        self._verified[kind, secret] = (time.monotonic() + _REMEMBER_SECONDS, key)
        self._verified.move_to_end((kind, secret))
        while len(self._verified) > _REMEMBERED_KEYS:
            self._verified.popitem(last=False)
        return key

    def _single_user(self, request: Request) -> Identity:
        client = request.client.host if request.client else ""
        forwarded = "forwarded" in request.headers or "x-forwarded-for" in request.headers
        if forwarded or not is_loopback(client) or not is_loopback(self._settings.host):
            raise _unauthorized(
                "without keys Tandem serves only this machine, directly; make one with `tandem keys create NAME`"
            )
        _refuse_other_sites(request)
        return Identity(
            owner=SINGLE_USER,
            may_see_reasoning=True,
            runs_per_minute=self._settings.runs_per_minute,
            concurrent_runs=self._settings.concurrent_runs_per_key,
        )


def is_loopback(host: str) -> bool:
    """Whether ``host`` (a name or an address, IPv6 with or without brackets) is this machine and nothing else."""
    host = host.strip("[]").lower()
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_other_sites(request: Request) -> None:
    """A web page can make the browser ask this server, under a name of its own that it points here (DNS rebinding) or
    across origins. The Host and Origin headers give it away."""
    for header, value in (("host", f"//{request.headers.get('host', '')}"), ("origin", request.headers.get("origin"))):
        if value is not None and not _names_loopback(value):
            raise ApiError(
                403,
                f"the header {header} is {shown(request.headers.get(header, ''))}; without keys only this machine's "
                "own names are served: use http://127.0.0.1 or http://localhost, or make a key with "
                "`tandem keys create NAME`",
                kind="permission_error",
                code="foreign_origin",
            )


def refuse_forgery(request: Request) -> None:
    """A browser sends the session's cookie whoever makes it ask. What changes something must come from our own pages:
    the cookie's SameSite keeps other sites out, this also other ports and subdomains of the same site.

    Raises ``ApiError`` 403.
    """
    if request.method in _HARMLESS:
        return
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    if origin is None:
        ours = request.headers.get("sec-fetch-site") in ("same-origin", "none")
    else:
        ours = _netloc(origin) == host.lower()
    if not ours:
        raise ApiError(
            403,
            f"the header origin is {shown(origin)}, but this is {shown(host)}; ask from Tandem's own pages, or with "
            "'Authorization: Bearer tandem-…' (a proxy in front must pass the Host header on)",
            kind="permission_error",
            code="foreign_origin",
        )


def _netloc(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:  # what urlsplit raises for broken brackets
        return ""


def _names_loopback(url: str) -> bool:
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:  # what urlsplit raises for broken brackets
        return False


def _unauthorized(message: str) -> ApiError:
    return ApiError(
        401,
        message,
        kind="authentication_error",
        code="invalid_api_key",
        headers={"www-authenticate": "Bearer"},
    )
