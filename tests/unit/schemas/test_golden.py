"""The golden scenarios are read by the models, and are those of the contract."""

from pathlib import Path

import pytest

from schemas.programme import ProgrammeFile
from schemas.scenario import Scenario
from tests.unit.schemas.golden import FILES, GOLDEN, REPOSITORY, read

SHARED = REPOSITORY.parent / "shared" / "golden"


def test_there_are_23_golden_scenarios() -> None:
    assert len(FILES) == 23


@pytest.mark.skipif(not SHARED.is_dir(), reason="the contract's folder is not beside this repository")
def test_copies_are_the_contracts_files() -> None:
    assert {path.name: path.read_bytes() for path in SHARED.glob("*.yaml")} == {path.name: path.read_bytes() for path in GOLDEN.glob("*.yaml")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_golden_scenario_is_read(path: Path) -> None:
    scenario = Scenario.model_validate(read(path), by_name=False)
    assert scenario.scenario == path.stem
    assert isinstance(scenario.programme, ProgrammeFile)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_was_read_and_written_is_read_the_same(path: Path) -> None:
    file = ProgrammeFile.model_validate(read(path)["programme"])
    assert ProgrammeFile.model_validate_json(file.model_dump_json(by_alias=True), by_name=False) == file


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_expectation_gives_back_just_what_was_named(path: Path) -> None:
    document = read(path)
    expect = Scenario.model_validate(document).expect
    assert expect is not None
    assert _plain(expect.named()) == _plain(document["expect"])


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, int) else str(value)
