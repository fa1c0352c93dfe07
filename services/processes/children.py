"""Several processes that are started together and end together."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from services.processes.gone import GONE
from services.stop import Stop

log = structlog.get_logger()

LOOK_S = 0.2
LATER_S = 5.0
"""How often it is asked for processes that are to be started later."""
PATIENCE_S = 20.0
"""How long a process may take to stop before it is killed: what it was doing is done again by the next one."""

CLH = (sys.executable, "-m", "services.cli")


Commands = Mapping[str, Sequence[str]]


def run_together(commands: Commands, stop: Stop, *, environment: Mapping[str, str] | None = None, later: Callable[[], Commands] | None = None) -> int:
    """Starts a process for each name and waits until it is time to stop, or until one of them ends; then stops them all.

    `later` is asked again and again which there are to be: those of its names that do not run are started, and where all have ended it is still asked.
    Returns 0 when they were stopped, 1 when one had ended by itself. One whose programme is gone ends alone, and the others go on; where they all
    were for programmes that are gone, `GONE` is returned. Standard input of each is a pipe that we hold: it ends with us.
    """
    children: dict[str, subprocess.Popen[bytes]] = {}

    def start(wanted: Commands) -> None:
        for name, command in wanted.items():
            before = children.get(name)
            if before is not None and before.returncode is None:
                continue
            if before is not None and before.stdin is not None:
                before.stdin.close()
            children[name] = subprocess.Popen(command, stdin=subprocess.PIPE, env=environment, start_new_session=True)

    try:
        start(commands)
        ended = _wait_for_one(children, stop, None if later is None else lambda: start(later()))
    finally:
        _stop(children)
    if ended is None:
        return 0 if stop() else GONE
    log.error("a process ended by itself, so all were stopped", process=ended, exit_code=children[ended].returncode)
    return 1


def _wait_for_one(children: Mapping[str, subprocess.Popen[bytes]], stop: Stop, start_more: Callable[[], None] | None) -> str | None:
    """Name of the first child that ends by itself; None when it is time to stop, or when they all worked for programmes that are gone."""
    asked_at = -float("inf")
    while not stop() and (start_more is not None or any(child.returncode is None for child in children.values())):
        for name, child in children.items():
            if child.poll() not in {None, GONE}:
                return name
        if start_more is not None and time.monotonic() - asked_at >= LATER_S:
            start_more()
            asked_at = time.monotonic()
        stop.wait(LOOK_S)
    return None


def _stop(children: Mapping[str, subprocess.Popen[bytes]]) -> None:
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + PATIENCE_S
    for name, child in children.items():
        try:
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("did not stop in time: killed", process=name)
            child.kill()
            child.wait()
        if child.stdin is not None:
            child.stdin.close()
