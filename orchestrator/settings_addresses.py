"""What settings accept as the address of a server."""

from typing import Annotated

from pydantic import AfterValidator


def _with_a_scheme(value: str) -> str:
    if value and not value.startswith(("http://", "https://")):
        raise ValueError(f"{value!r} is no address: it begins with http:// or https://, such as http://127.0.0.1:8888")
    return value


HttpAddress = Annotated[str, AfterValidator(_with_a_scheme)]
"""``http://`` or ``https://`` and a host; "" is none."""
