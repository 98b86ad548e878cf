"""What MCP servers lack that the settings give a token."""

import os
from collections.abc import Mapping

from orchestrator.settings import McpSettings


def mcp_token(server: McpSettings, environment: Mapping[str, str] = os.environ) -> str:
    """The token of ``server``; "" where its settings name none, or the environment has none."""
    # A variable that was read from a file often ends with its line break, which no header may have.
    return environment.get(server.token_variable, "").strip() if server.token_variable else ""


def mcp_problems(servers: Mapping[str, McpSettings], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """By server, what keeps it from being asked for its tools, with the way to mend it. The token is never quoted."""
    problems = {}
    for name, server in servers.items():
        variable, token = server.token_variable, mcp_token(server, environment)
        if variable and not token:
            problems[name] = (
                f"${variable} is not set; export the server's token before `tandem serve`, or leave out "
                f"`token_variable` under [mcp.{name}]"
            )
        elif not (token.isascii() and token.isprintable()):
            problems[name] = f"${variable} has characters that no token may have; copy the token again"
    return problems
