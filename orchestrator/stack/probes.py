"""How to see that a part is ready; every probe answers within about a second."""

import http.client
import re
import subprocess

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from workers.celery_app import create_app

_SECONDS = 1.0


def answers_ok(host: str, port: int, path: str) -> bool:
    """Whether GET ``path`` is answered with 200."""
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def redis_answers(url: str) -> bool:
    """Whether Redis at ``url`` has loaded its data and answers."""
    try:
        with Redis.from_url(url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS) as client:
            return bool(client.ping())
    except RedisError:
        return False


def redis_problem(url: str) -> str | None:
    """Why Redis at ``url`` cannot be used, in one sentence with the way out; None where it can."""
    try:
        with Redis.from_url(url, socket_connect_timeout=_SECONDS, socket_timeout=_SECONDS) as client:
            version = str(client.info("server")["redis_version"])
            has_vector_sets = _has_vector_sets(client)
    except RedisError as error:
        return f"Redis at {url} does not answer ({error}); start it, or leave `url` under [redis] empty"
    if int(version.split(".")[0]) < 8 or not has_vector_sets:
        lacking = "" if has_vector_sets else " without Vector Sets"
        return f"Redis at {url} is {version}{lacking}; 8.0 or newer is needed: leave `url` under [redis] empty"
    return None


def _has_vector_sets(client: Redis) -> bool:
    try:
        client.vset().vcard("tandem:no-such-set")
    except ResponseError:
        return False
    return True


def server_version(binary: str) -> tuple[int, ...] | None:
    """The version a redis-server binary says it has; None where it does not run."""
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"v=(\d+)\.(\d+)\.(\d+)", said)
    return tuple(int(number) for number in found.groups()) if found else None


def worker_answers(redis_url: str, node: str) -> bool:
    """Whether the Celery worker of that node name takes commands."""
    app = create_app(redis_url)
    try:
        return bool(app.control.ping(destination=[node], timeout=_SECONDS))
    finally:
        app.close()
