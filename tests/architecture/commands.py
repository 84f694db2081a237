"""Whether a command of a deployment file is one that the service has."""

from __future__ import annotations

from typing import Any

from typer.main import get_command

from app.cli import cli


def check_command(command: list[str]) -> None:
    """Fails for a subcommand, an option or a value that `python -m app` does not take."""
    assert command[:3] == ["python", "-m", "app"], command
    name, *arguments = command[3:]
    commands: dict[str, Any] = vars(get_command(cli))["commands"]
    assert name in commands, f"`python -m app {name}` does not exist"
    commands[name].make_context(name, arguments)
