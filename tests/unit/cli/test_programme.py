"""`clh programme` at the command line: what it prints and how it ends."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from services.cli.main import app
from tests.unit.programme.harvest import EXAMPLES, TEXT, changed, line_of

HARVEST = str(EXAMPLES / "harvest.yaml")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["programme", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def written(folder: Path, text: str, name: str = "broken.yaml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_without_errors_ends_with_0() -> None:
    villages = str(EXAMPLES / "certificates.yaml")
    assert run("lint", villages) == (0, f"{villages}: nothing found\n")


def test_warnings_end_with_0_unless_they_count(tmp_path: Path) -> None:
    path = written(tmp_path, changed('percent: "3"', 'percent: "20"'))

    code, output = run("lint", path)

    assert code == 0
    assert f"{path}:{line_of(TEXT, '  percent:')}:14: warning" in output
    assert "[lasting-discount]" in output
    assert output.endswith("1 warning\n")
    assert run("lint", path, "--strict")[0] == 1


def test_errors_end_with_1_and_name_line_field_reason_and_way_out(tmp_path: Path) -> None:
    path = written(tmp_path, changed('price: "0.0100"', "price: 0.0100").replace("netting: multilateral", "netting: both"))

    code, output = run("lint", path)

    assert code == 1
    assert f"{path}:{line_of(TEXT, 'netting')}:12: error: programme.netting: both is not one of multilateral, bilateral, gross [unknown-word]" in output
    assert "contracts[0].issue.price: must be decimal text in quotes" in output
    assert "    put it in quotes\n" in output
    assert output.endswith("2 errors\n")


def test_a_file_that_cannot_be_read_ends_with_2(tmp_path: Path) -> None:
    path = written(tmp_path, "programme: [\n")

    code, output = run("lint", path)

    assert code == 2
    assert f"{path}:2:1: error: not YAML" in output
    assert run("lint", str(tmp_path / "missing.yaml"))[0] == 2


def test_findings_as_json(tmp_path: Path) -> None:
    path = written(tmp_path, changed('price: "0.0100"', "price: 0.0100"))

    code, output = run("lint", path, "--output", "json")

    document = json.loads(output)
    (finding,) = document.pop("findings")
    assert code == 1
    assert document == {"file": path, "ok": False, "errors": 1, "warnings": 0}
    assert (finding["line"], finding["field"], finding["code"], finding["severity"]) == (
        line_of(TEXT, 'price: "0.0100"'),
        "contracts[0].issue.price",
        "bare-number",
        "error",
    )
    document = json.loads(run("lint", HARVEST, "--output", "json")[1])
    assert document == {"file": HARVEST, "ok": True, "errors": 0, "warnings": 0, "findings": []}
    code, output = run("lint", written(tmp_path, ""), "--output", "json")
    assert (code, json.loads(output)["ok"]) == (2, False)


def test_the_schema_accepts_the_examples() -> None:
    from services.documents.yaml_text import read_yaml

    code, output = run("schema")

    validator = Draft202012Validator(json.loads(output))
    assert code == 0
    for path in EXAMPLES.glob("*.yaml"):
        validator.validate(read_yaml(path.read_text(encoding="utf-8")))


def test_a_programme_is_shown_from_a_file() -> None:
    code, output = run("show", HARVEST)

    assert code == 0
    for part in ("Harvest Club (harvest)", "Parties", "Contracts", "Mechanics, in the order in which they apply"):
        assert part in output
    document = json.loads(run("show", HARVEST, "--output", "json")[1])
    assert document["programme"]["expiry"] == {"kind": "rolling", "months": 24}
    assert document["contracts"][0]["issue"] == {"price": "0.0100", "currency": "EUR"}


def test_two_files_are_compared(tmp_path: Path) -> None:
    path = written(tmp_path, changed("netting: multilateral", "netting: gross"), "new.yaml")

    assert run("diff", HARVEST, path) == (1, "programme: netting: multilateral -> gross\n")
    assert run("diff", HARVEST, HARVEST) == (0, "No difference.\n")
    (difference,) = json.loads(run("diff", HARVEST, path, "--output", "json")[1])
    assert difference == {"subject": "programme", "change": "changed", "field": "netting", "old": "multilateral", "new": "gross"}
    assert run("diff", HARVEST, str(tmp_path / "missing.yaml"))[0] == 2


def test_a_broken_file_is_not_applied(tmp_path: Path) -> None:
    assert run("apply", written(tmp_path, changed("kind: multiplier", "kind: multiply")))[0] == 1
    assert run("apply", str(tmp_path / "missing.yaml"))[0] == 2


def test_servers_that_cannot_be_reached_end_with_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLH_POSTGRES_URI", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("CLH_KAFKA_BOOTSTRAP", "127.0.0.1:1")

    for arguments in (("apply", HARVEST), ("diff", HARVEST), ("show", "harvest")):
        code, output = run(*arguments)
        assert code == 3
        assert "PostgreSQL cannot be reached" in output


def test_every_command_has_help_with_an_example() -> None:
    for command in ("lint", "schema", "show", "diff", "apply"):
        code, output = run(command, "--help")
        assert code == 0
        assert f"clh programme {command}" in output
