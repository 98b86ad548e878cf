"""The web UI's files over HTTP: cached as long as is right, under a strict policy, and never a file beside them."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from tests.web.conftest import Gateway, served
from web.static import StaticUi

PAGE = {"accept": "text/html,*/*"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>Tandem</title>")
    (folder / "assets" / "main-3f2a.js").write_text("let a = 1;\n" * 200)
    (folder / ".vite").mkdir()
    (folder / ".vite" / "manifest.json").write_text("{}")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
async def client(built: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette()
    app.router.default = StaticUi(built)
    async with served(app) as url, httpx.AsyncClient(base_url=url) as client:
        yield client


async def test_assets_last_and_the_page_is_asked_for_again(client: httpx.AsyncClient, built: Path) -> None:
    page = await client.get("/")
    asset = await client.get("/assets/main-3f2a.js")
    assert page.headers["cache-control"] == "no-cache"
    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["content-type"].startswith("text/javascript")
    assert (asset.headers["content-encoding"], asset.text) == ("gzip", "let a = 1;\n" * 200)
    plain = await client.get("/assets/main-3f2a.js", headers={"accept-encoding": "identity"})
    assert ("content-encoding" in plain.headers, plain.content) == (False, asset.content)
    known = {"if-none-match": page.headers["etag"]}
    assert (await client.get("/", headers=known)).status_code == 304
    (built / "index.html").write_text("<title>newer</title>")
    assert "newer" in (await client.get("/", headers=known)).text


async def test_the_policy_lets_nothing_in_from_elsewhere(client: httpx.AsyncClient) -> None:
    for path in ("/", "/assets/main-3f2a.js"):
        headers = (await client.get(path)).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'self'"
        assert policy["img-src"] == "'self' data: blob:"
        assert not any("unsafe" in value or "*" in value or "http" in value for value in policy.values())
        assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")


async def test_only_a_page_load_falls_back_to_the_page(client: httpx.AsyncClient) -> None:
    assert "Tandem" in (await client.get("/c/abc", headers=PAGE)).text
    for method, path, headers in (
        ("GET", "/c/abc", {"accept": "*/*"}),
        ("GET", "/assets/gone.js", PAGE),
        ("GET", "/v1/nothing", PAGE),
        ("POST", "/", PAGE),
        ("GET", "/.vite/manifest.json", PAGE),
        ("GET", "/%2e%2e/secret.txt", PAGE),
        ("GET", "/assets/..%2f..%2fsecret.txt", PAGE),
        ("GET", "/%00.txt", PAGE),
    ):
        response = await client.request(method, path, headers=headers)
        assert (response.status_code, "secret" in response.text) == (404, False), path


async def test_a_link_out_of_the_folder_leads_nowhere(client: httpx.AsyncClient, built: Path) -> None:
    os.symlink(built.parent / "secret.txt", built / "out.txt")
    assert (await client.get("/out.txt")).status_code == 404


async def test_a_ui_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    app = Starlette()
    app.router.default = StaticUi(tmp_path / "nothing")
    async with served(app) as url, httpx.AsyncClient(base_url=url) as client:
        response = await client.get("/", headers=PAGE)
    assert (response.status_code, "npm" in response.text) == (503, True)


async def test_the_gateway_serves_the_ui_and_still_answers_in_json_elsewhere(gateway: Gateway) -> None:
    async with gateway.client() as client:
        page = await client.get("/", headers=PAGE)
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'self'" in page.headers["content-security-policy"]
        missing = await client.get("/v1/nothing", headers=PAGE)
        assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
