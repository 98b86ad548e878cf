"""The compose file is one that Docker's own client takes."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_FILE = Path(__file__).resolve().parents[2] / "compose.yaml"


def _compose(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "POSTGRES_PASSWORD"} | variables
    return subprocess.run(
        ("docker", "compose", *arguments), capture_output=True, text=True, env=environment, check=False
    )


def _client_is_here() -> bool:
    return shutil.which("docker") is not None and _compose("version").returncode == 0


@pytest.mark.skipif(not _client_is_here(), reason="docker has no compose client here")
def test_compose_takes_it_once_the_password_is_set() -> None:
    refused = _compose("-f", str(_FILE), "config", "--quiet")
    assert refused.returncode != 0
    assert "POSTGRES_PASSWORD" in refused.stderr
    taken = _compose("-f", str(_FILE), "config", "--quiet", POSTGRES_PASSWORD="any")
    assert taken.returncode == 0, taken.stderr
