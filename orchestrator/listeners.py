"""Every port that `tandem serve` listens on."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.addresses import LOOPBACK, engine_port
from orchestrator.model_files import served_here
from orchestrator.settings import Settings


@dataclass(frozen=True, slots=True)
class Listener:
    """``section`` is the path of the settings' section whose ``port`` it is."""

    name: str
    host: str
    port: int
    section: tuple[str, ...]

    @property
    def setting(self) -> str:
        return f"`port` under [{'.'.join(self.section)}]"

    def meets(self, other: "Listener") -> bool:
        """Whether the two cannot both be there."""
        return self.port == other.port and bool(_addresses(self.host) & _addresses(other.host))


def listeners(settings: Settings) -> Sequence[Listener]:
    """The gateway's, then those of what is started beside it."""
    found = [Listener("gateway", settings.gateway.host, settings.gateway.port, ("gateway",))]
    if not settings.redis.url:
        found.append(Listener("redis", LOOPBACK, settings.redis.port, ("redis",)))
    found += [
        Listener(f"engine {name}", LOOPBACK, engine_port(settings, name), ("models", name, "engine"))
        for name in served_here(settings)
    ]
    return found


def _addresses(host: str) -> frozenset[str]:
    return frozenset({host, LOOPBACK} if host in ("localhost", "0.0.0.0") else {host})
