"""Where the parts of the local stack listen, derived from the settings alone so that every process agrees."""

from orchestrator.settings import Settings

LOOPBACK = "127.0.0.1"
_FIRST_ENGINE_PORT = 8101
# Of a host that means every interface. A server that listens on "::" takes no IPv4 connections.
_LOOPBACK_OF = {"0.0.0.0": LOOPBACK, "::": "::1"}


def redis_url(settings: Settings) -> str:
    """The configured Redis, else the one that `tandem serve` starts."""
    return settings.redis.url or f"redis://{LOOPBACK}:{settings.redis.port}/0"


def engine_port(settings: Settings, name: str) -> int:
    """The port of a model's local engine; an unset one is counted up from 8101 in the order of the settings."""
    configured = settings.models[name].engine.port
    return configured or _FIRST_ENGINE_PORT + list(settings.models).index(name)


def engine_url(settings: Settings, name: str) -> str:
    """The configured server of a model, else the engine that `tandem serve` starts."""
    return settings.models[name].engine.url or f"http://{LOOPBACK}:{engine_port(settings, name)}"


def gateway_host(settings: Settings) -> str:
    """The name or address under which this machine reaches the gateway; IPv6 without brackets."""
    return _LOOPBACK_OF.get(settings.gateway.host, settings.gateway.host)


def gateway_url(settings: Settings) -> str:
    """Where a browser or client on this machine reaches the gateway."""
    host = gateway_host(settings)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.gateway.port}"
