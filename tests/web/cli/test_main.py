"""The console script as a whole: what it offers, and what a command makes it read."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from web.cli.main import build

COMMANDS = ("serve", "doctor", "init", "ask", "bench", "models", "keys", "playbook", "train", "router")


def test_the_help_names_every_command_with_a_sentence_and_each_has_its_own() -> None:
    lines = [line.strip("│ ") for line in CliRunner().invoke(build(), ["--help"]).output.splitlines()]
    for command in COMMANDS:
        assert any(line.startswith(f"{command} ") and len(line.split()) > 3 for line in lines), command
        help_of_it = CliRunner().invoke(build(), [command, "--help"])
        assert help_of_it.exit_code == 0
        assert f"{command} [OPTIONS]" in help_of_it.output


def test_a_command_that_is_nearly_one_is_told_which() -> None:
    result = CliRunner().invoke(build(), ["aks"])
    assert result.exit_code == 2
    assert "Did you mean 'ask'" in result.output


@pytest.mark.parametrize("arguments", [["ask", "--help"], ["aks"]])
def test_asking_reads_nothing_of_what_serving_and_training_need(arguments: list[str]) -> None:
    script = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from web.cli.main import build\n"
        "CliRunner().invoke(build(), sys.argv[1:])\n"
        "print(*(name for name in ('langgraph', 'celery', 'sklearn', 'torch', 'fastapi') if name in sys.modules))\n"
    )
    command = [sys.executable, "-c", script, *arguments]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == ""
