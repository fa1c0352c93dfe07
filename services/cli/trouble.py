"""What the surroundings of a command do not give it: folders that cannot be written, a full disk, addresses that are none. A sentence, no traceback."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Any

import typer.core

from services.cli.output import FAILED, NOT_RUNNING, fail
from services.cli.renamed import said_anew
from services.cli.typed import negative_amount
from services.runtime.errors import LocalRuntimeError

USAGE = 2


class Guarded(typer.core.TyperGroup):
    """The group of all commands, around which this stands."""

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Ends a command with a sentence where a word of it is not UTF-8 and could be neither kept nor shown, or is one of before."""
        for place, word in enumerate(args, 1):
            if any("\ud800" <= letter <= "\udfff" for letter in word):
                raise fail(f"word {place} of the command is not UTF-8: type it anew, or rename the file", code=USAGE)
        if said := said_anew(args) or negative_amount(args):
            raise fail(said, code=USAGE)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Runs the command; ends it with a sentence and an exit code where its surroundings are wrong."""
        try:
            return super().invoke(ctx)
        except LocalRuntimeError as error:
            raise fail(str(error), code=NOT_RUNNING) from None
        except ValueError as error:
            from pydantic import ValidationError

            if not isinstance(error, ValidationError) or error.title != "Settings":
                raise
            raise fail("; ".join(f"CLH_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors(include_url=False)), code=USAGE) from None
        except OSError as error:
            if error.errno is None or error.errno == errno.EPIPE:  # a reader that has read enough
                raise
            raise fail(_sentence(error), code=FAILED) from None


def _sentence(error: OSError) -> str:
    """What could not be read or written, why, and where that is set."""
    why = error.strerror or str(error)
    if error.filename is None:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG}:
            _drop_output()
            return f"what was to be printed could not be written: {why}; output goes elsewhere with `> FILE`"
        return f"the system refused it: {why}; `clh dev doctor` says more"
    name = os.fsdecode(error.filename)
    return f"{name} cannot be used: {why}{_set_by(Path(name))}"


def _set_by(path: Path) -> str:
    from services.settings import settings

    state_dir = settings().state_dir.expanduser().absolute()
    if path.absolute() == state_dir or state_dir in path.absolute().parents or path.absolute() in state_dir.parents:
        return "; CLH_STATE_DIR has to name a folder that you may write, or one that can be made"
    return ""


def _drop_output() -> None:
    """Standard output goes nowhere from here on: else the interpreter would try to write the rest once more, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.__stdout__.fileno() if sys.__stdout__ is not None else 1)
    os.close(nowhere)
