"""Words of a command line that nothing can be done with end in a sentence: numbers without end, bytes that are no text, files that are not there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from services.cli.main import app

VERIFIER = Path(__file__).parents[3] / "deploy" / "verify_export.py"
HUGE = "99999999999999999999"


def numbers() -> Iterator[tuple[tuple[str, ...], str]]:
    """Every command with every number that it takes; where it is an argument, that alone."""

    def of(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
        for name, each in getattr(command, "commands", {}).items():
            yield from of(each, (*path, name))
        for parameter in command.params:
            annotation = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
            if annotation is int:
                options = [name for name in parameter.opts if name.startswith("--")]
                yield path, options[0] if options else ""

    yield from of(typer.main.get_command(app), ())


NUMBERS = sorted(numbers())


def test_commands_that_take_numbers_are_found() -> None:
    assert (("dispute", "show"), "") in NUMBERS
    assert (("recon", "breaks"), "--limit") in NUMBERS
    assert len(NUMBERS) > 15


@pytest.mark.parametrize(("path", "option"), [pair for pair in NUMBERS if pair[1]], ids=lambda word: " ".join(word) if isinstance(word, tuple) else word)
def test_a_number_without_end_is_wrong_usage(path: tuple[str, ...], option: str) -> None:
    result = CliRunner().invoke(app, [*path, option, HUGE])
    assert (result.exit_code, "should be less than" in " ".join(result.output.replace("│", " ").split())) == (2, True), result.output


@pytest.mark.parametrize("words", [("dispute", "show", HUGE), ("dispute", "open", "2026-03-02", HUGE), ("recon", "resolve", HUGE)], ids=" ".join)
def test_a_thing_with_a_number_without_end_is_wrong_usage(words: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, words).exit_code == 2


def run(*words: str | bytes) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, errors="replace", timeout=60, check=False)


@pytest.mark.parametrize("words", [(b"dispute", b"show", b"\xe9"), (b"funding", b"list", b"caf\xe9"), (b"recon", b"breaks", b"--code", b"\xff")])
def test_words_that_are_not_utf_8_are_wrong_usage(words: tuple[bytes, ...]) -> None:
    done = run("-m", "services.cli", *words)
    assert (done.returncode, f"word {len(words)} of the command is not UTF-8" in " ".join(done.stderr.split())) == (2, True), done.stderr
    assert "Traceback" not in done.stderr


def test_the_auditors_verifier_says_how_it_is_called_and_which_file_is_not_there(tmp_path: Path) -> None:
    keys, wrong = tmp_path / "keys.txt", tmp_path / "wrong.txt"
    keys.write_text("a" * 64 + "\n")
    wrong.write_text("no keys\n")
    for words, said in (
        ((), "usage: python3 verify_export.py EXPORT HOUSE_KEYS [HEAD]"),
        (("one",), "usage: "),
        (("one", "two", "three", "four"), "usage: "),
        ((str(tmp_path / "none"), str(keys)), "none: No such file or directory"),
        ((str(keys), str(tmp_path / "none")), "none: No such file or directory"),
        ((str(tmp_path), str(keys)), "Is a directory"),
        ((str(keys), str(wrong)), "wrong.txt: it holds no public keys"),
    ):
        done = run(str(VERIFIER), *words)
        assert (done.returncode, said in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr
