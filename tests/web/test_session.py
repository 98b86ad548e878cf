"""Logging a browser in: its cookie, what it may, and when it ends."""

import asyncio

import httpx
import pytest

from tests.web.conftest import Gateway
from tests.web.test_access import make_key


def from_page(gateway: Gateway) -> dict[str, str]:
    """What a browser adds to a request of the gateway's own page."""
    return {"origin": gateway.url}


async def log_in(gateway: Gateway, client: httpx.AsyncClient, key: str) -> httpx.Response:
    return await client.post("/v1/session", json={"key": key}, headers=from_page(gateway))


async def test_without_keys_the_single_user_is_known_at_once(gateway: Gateway) -> None:
    async with gateway.client() as client:
        body = (await client.get("/v1/me")).json()
    assert (body["single_user"], body["may_see_reasoning"]) == (True, True)


async def test_a_login_stands_for_its_key_until_the_logout(gateway: Gateway) -> None:
    key = await make_key(gateway, may_see_reasoning=False)
    async with gateway.client(key) as keyed, gateway.client() as browser:
        assert (await browser.get("/v1/me")).status_code == 401
        response = await log_in(gateway, browser, key)
        assert response.json() == (await keyed.get("/v1/me")).json()
        assert (response.json()["single_user"], response.json()["may_see_reasoning"]) == (False, False)
        cookie = response.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert key not in cookie
        made = await browser.post("/v1/conversations", json={}, headers=from_page(gateway))
        assert made.status_code == 201
        assert (await keyed.get(f"/v1/conversations/{made.json()['id']}")).status_code == 200
        kept = dict(browser.cookies)
        assert (await browser.delete("/v1/session", headers=from_page(gateway))).status_code == 204
        assert dict(browser.cookies) == {}
        browser.cookies.update(kept)
        assert (await browser.get("/v1/me")).status_code == 401


@pytest.mark.parametrize("key", ["tandem-wrong", "x", "\u2713"])
async def test_a_wrong_key_logs_nobody_in(gateway: Gateway, key: str) -> None:
    await make_key(gateway)
    async with gateway.client() as browser:
        response = await log_in(gateway, browser, key)
        assert (response.status_code, dict(browser.cookies)) == (401, {})
        assert (await log_in(gateway, browser, "")).status_code == 400


async def test_a_login_ends_with_its_key(gateway: Gateway) -> None:
    made = await gateway.tandem.database.create_key("lost laptop")
    await asyncio.sleep(1.1)
    async with gateway.client() as browser:
        await log_in(gateway, browser, made.plain)
        assert (await browser.get("/v1/me")).status_code == 200
        await gateway.tandem.database.revoke_key(made.key.id)
        await asyncio.sleep(1.1)
        assert (await browser.get("/v1/me")).status_code == 401


async def test_a_login_expires_and_its_cookie_is_stored_nowhere(gateway: Gateway) -> None:
    database = gateway.tandem.database
    made = await database.create_key("laptop")
    cookie = await database.create_session(made.key.id, 0.3)
    assert (await database.verify_session(cookie)) == made.key
    await asyncio.sleep(0.4)
    assert await database.verify_session(cookie) is None
    assert cookie.encode() not in b"".join(
        path.read_bytes() for path in gateway.tandem.settings.storage.directory.glob("tandem.db*")
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "null"},
        {"origin": "http://[::1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {},
    ],
)
async def test_no_other_page_can_change_anything_with_the_cookie(gateway: Gateway, headers: dict[str, str]) -> None:
    key = await make_key(gateway)
    async with gateway.client() as browser:
        await log_in(gateway, browser, key)
        for method, path, json in (
            ("POST", "/v1/conversations", {}),
            ("POST", "/v1/chat/completions", {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}),
            ("DELETE", "/v1/session", None),
        ):
            response = await browser.request(method, path, json=json, headers=headers)
            assert (response.status_code, response.json()["error"]["code"]) == (403, "foreign_origin"), path
        forced = await browser.post("/v1/session", json={"key": key}, headers=headers)
        assert forced.status_code == 403
        assert (await browser.get("/v1/conversations")).json()["data"] == []
    assert gateway.runs.runs == {}
