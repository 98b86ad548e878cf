"""The compose file: Docker's own client takes it, and the sandbox worker can isolate programs."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tools.sandbox.diagnosis import explain

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


def test_the_sandbox_worker_may_do_what_the_sandbox_says_it_needs() -> None:
    granted = yaml.safe_load(_FILE.read_text())["services"]["sandbox"]["security_opt"]
    assert {"seccomp=unconfined", "apparmor=unconfined"} <= set(granted)
    [needed] = re.findall(r"--security-opt (\S+?)`", explain("bwrap: Can't mount proc on /newroot/proc: denied", {}))
    assert needed in granted
