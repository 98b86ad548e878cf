"""Where the gateway is found."""

import pytest

from orchestrator.addresses import gateway_url
from orchestrator.settings_file import load_settings


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("tandem.example", "http://tandem.example:8000"),
        ("::1", "http://[::1]:8000"),
        ("::", "http://[::1]:8000"),
        ("2001:db8::1", "http://[2001:db8::1]:8000"),
    ],
)
def test_the_gateways_address_is_one_that_a_browser_takes(host: str, url: str) -> None:
    assert gateway_url(load_settings(environment={"TANDEM__GATEWAY__HOST": host})) == url
