"""The command line names its groups and refuses what it does not know."""

from __future__ import annotations

from typer.testing import CliRunner

from services.cli.main import app


def test_help_names_every_group() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for group in app.registered_groups:
        assert group.name is not None
        assert group.name in result.output


def test_an_unknown_group_is_a_usage_error() -> None:
    result = CliRunner().invoke(app, ["no-such-group"])
    assert result.exit_code == 2
