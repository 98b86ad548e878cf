"""Files of runs: kept within bounds, served to their owner, as nothing that a browser would run."""

import os
import time
from pathlib import Path

import pytest

from orchestrator.storage.artifacts import ArtifactRefused, ArtifactStore, UnknownArtifact
from tests.web.conftest import Gateway
from tests.web.test_access import make_key
from tests.web.test_native import begin

PNG = b"\x89PNG\r\n\x1a\n"


def store_of(gateway: Gateway) -> ArtifactStore:
    return ArtifactStore(gateway.tandem.settings.storage.directory / "artifacts")


async def test_pictures_are_shown_and_everything_else_is_saved(gateway: Gateway) -> None:
    async with gateway.client() as client:
        run = await begin(client, "hi")
        for name, data, media_type, disposition in (
            ("plot.png", PNG, "image/png", "inline"),
            ("drawing.svg", b"<svg onload='alert(1)'/>", "image/svg+xml", "inline"),
            ("page.html", b"<script>alert(1)</script>", "text/plain; charset=utf-8", "attachment"),
            ("table.csv", b"a,b\n", "text/csv; charset=utf-8", "attachment"),
            ("data.bin", b"\0\1", "application/octet-stream", "attachment"),
        ):
            await store_of(gateway).put(run, name, data)
            response = await client.get(f"/v1/runs/{run}/artifacts/{name}")
            assert (response.status_code, response.content) == (200, data)
            assert response.headers["content-type"] == media_type
            assert response.headers["content-disposition"] == f'{disposition}; filename="{name}"'
            assert response.headers["x-content-type-options"] == "nosniff"
            assert "sandbox" in response.headers["content-security-policy"]


async def test_a_runs_files_are_its_owners(gateway: Gateway) -> None:
    ada, eve = await make_key(gateway), await make_key(gateway)
    async with gateway.client(ada) as owner, gateway.client(eve) as other, gateway.client() as nobody:
        run = await begin(owner, "hi")
        await store_of(gateway).put(run, "a.txt", b"secret")
        assert (await owner.get(f"/v1/runs/{run}/artifacts/a.txt")).text == "secret"
        assert (await other.get(f"/v1/runs/{run}/artifacts/a.txt")).status_code == 404
        assert (await nobody.get(f"/v1/runs/{run}/artifacts/a.txt")).status_code == 401
        for name in ("b.txt", "..%2F..%2Ftandem.db", "%2Fetc%2Fpasswd", ".hidden", "a.txt%00"):
            response = await owner.get(f"/v1/runs/{run}/artifacts/{name}")
            assert response.status_code == 404, name


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a\n", "a" * 101, "x.partial", "ä"])
async def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArtifactRefused):
        await ArtifactStore(tmp_path / "in").put("r1", name, b"")
    assert os.listdir(tmp_path) == []


async def test_a_store_stays_within_its_bounds_and_forgets(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path, file_bytes=10, run_bytes=15, run_files=3, total_bytes=100, keep_seconds=60)
    await store.put("r1", "a", b"x" * 10)
    with pytest.raises(ArtifactRefused, match="11 bytes"):
        await store.put("r1", "b", b"x" * 11)
    with pytest.raises(ArtifactRefused, match="15 bytes"):
        await store.put("r1", "b", b"x" * 6)
    await store.put("r1", "a", b"y" * 9)
    assert (await store.get("r1", "a"))[1] == b"y" * 9
    await store.put("r1", "b", b"")
    await store.put("r1", "c", b"")
    with pytest.raises(ArtifactRefused, match="3 files"):
        await store.put("r1", "d", b"")
    old = time.time() - 61
    for path in (tmp_path / "r1" / "a", tmp_path / "r1"):
        os.utime(path, (old, old))
    with pytest.raises(UnknownArtifact):
        await store.get("r1", "a")
    await ArtifactStore(tmp_path, keep_seconds=60).put("r2", "a", b"")
    assert os.listdir(tmp_path) == ["r2"]
    await store.remove("r2")
    with pytest.raises(UnknownArtifact):
        await store.get("r2", "a")
