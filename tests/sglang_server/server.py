"""A real SGLang server on a CPU for tests: its environment (built once, kept in the user's cache) and its process.

``python -m tests.sglang_server.server`` only prepares the environment and the model, for a build that caches them.
"""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tests.smollm import cache_folder, fetch_smollm, locked

_HERE = Path(__file__).parent
_BESIDE = ("sglang==0.5.23", "torchvision==0.28.0", "triton==3.9.0")
_STAND_INS = ("sgl_kernel", "torchvision_schemas.py", "torchvision_schemas.pth")
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
_START_SECONDS = 240
SERVED_NAME = "smol"


@dataclass(frozen=True)
class SglangInstallation:
    """``model`` is a Hugging Face folder; ``rendered`` what transformers' own templating made of conversations.json."""

    python: Path
    model: Path
    rendered: Path


@dataclass(frozen=True)
class SglangServer:
    url: str
    installation: SglangInstallation
    log: Path

    def decode_steps(self) -> int:
        """How many decoding steps the server has made, for all its requests together."""
        return self.log.read_bytes().count(b"Decode batch")


def prepare() -> SglangInstallation:
    """Build the environment and convert the model unless they are there (about two minutes and 3 GB the first time)."""
    folder = cache_folder() / f"sglang-{_fingerprint()}"
    installation = SglangInstallation(folder / "venv/bin/python", folder / "smollm2-135m", folder / "rendered.json")
    with locked(folder):
        if not (folder / "venv/complete").exists():
            _install(folder / "venv")
        if not installation.rendered.exists():
            _convert(installation)
    return installation


def truncated(installation: SglangInstallation, layers: int) -> SglangInstallation:
    """The same with a copy of the model that has fewer layers, and so writes other text; made once and kept."""
    model = installation.model.with_name(f"{installation.model.name}-{layers}-layers")
    with locked(model):
        if not (model / "complete").exists():
            script = str(_HERE / "truncate.py")
            _run(str(installation.python), script, str(installation.model), str(model), str(layers))
            (model / "complete").touch()
    return replace(installation, model=model)


@contextmanager
def running(installation: SglangInstallation, log: Path, name: str = SERVED_NAME) -> Iterator[SglangServer]:
    """Start the server on a free port, its model called ``name``, wait until it is healthy, stop it and its children at
    the end."""
    port = _free_port()
    command = [
        *(str(installation.python), "-m", "sglang.launch_server", "--model-path", str(installation.model)),
        *("--served-model-name", name, "--device", "cpu", "--attention-backend", "torch_native"),
        *("--sampling-backend", "pytorch", "--disable-overlap-schedule", "--disable-cuda-graph"),
        *("--host", "127.0.0.1", "--port", str(port), "--mem-fraction-static", "0.1"),
        *("--max-total-tokens", "8192", "--max-running-requests", "8", "--sleep-on-idle"),
        *("--decode-log-interval", "1"),
    ]
    environment = {**os.environ, **_OFFLINE, "SGLANG_USE_CPU_ENGINE": "1", "OMP_NUM_THREADS": "1"}
    environment |= {"SGLANG_RETURN_ORIGINAL_LOGPROB": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            _wait_until_healthy(process, f"http://127.0.0.1:{port}/health", log)
            yield SglangServer(f"http://127.0.0.1:{port}", installation, log)
        finally:
            _stop(process)


def _fingerprint() -> str:
    parts = [(_HERE / name).read_bytes() for name in ("requirements.txt", "gguf_to_hf.py")]
    parts += map(str.encode, _BESIDE)
    parts += [(_HERE / name).read_bytes() for name in ("conversations.json", "render.py", "sgl_kernel/__init__.py")]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()[:12]


def _install(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    python = str(folder / "bin/python")
    _run(python, "-m", "pip", "install", "--quiet", "-r", str(_HERE / "requirements.txt"))
    # Without their dependencies: those are CUDA packages, and nothing here runs on a GPU.
    _run(python, "-m", "pip", "install", "--quiet", "--no-deps", *_BESIDE)
    packages = next((folder / "lib").glob("python3.*")) / "site-packages"
    for name in _STAND_INS:
        source = _HERE / name
        if source.is_dir():
            shutil.copytree(source, packages / name, dirs_exist_ok=True)
        else:
            shutil.copy(source, packages / name)
    (folder / "complete").touch()


def _convert(installation: SglangInstallation) -> None:
    gguf = fetch_smollm()
    python = str(installation.python)
    _run(python, str(_HERE / "gguf_to_hf.py"), str(gguf.parent), gguf.name, str(installation.model))
    _run(
        *(python, str(_HERE / "render.py"), str(installation.model)),
        *(str(_HERE / "conversations.json"), str(installation.rendered)),
    )


def _run(*command: str) -> None:
    done = subprocess.run(command, env={**os.environ, **_OFFLINE}, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=20) as response:
                if response.status == 200:
                    return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.5)
    tail = log.read_text(errors="replace")[-4000:]
    raise RuntimeError(f"the SGLang server did not become healthy within {_START_SECONDS} s; its log ends:\n{tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):  # the group is killed below
            process.wait(timeout=15)
    with suppress(ProcessLookupError):  # everything in the group has ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


if __name__ == "__main__":
    sys.stdout.write(f"{prepare().model}\n")
