"""Follows the process that owns an instance and takes the instance down when that process is gone, however it went.

Started by `Instance.up(owned=True)` as `python -m services.runtime.watchdog STATE_DIR OWNER_PID SERVER…`, before the servers; standard input is
a pipe whose other end the owner holds. It acts when the pipe closes or its parent is no longer the owner. An owner that has taken the instance
down itself writes one byte, and the watchdog ends without doing anything.
"""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

LOOK_S = 1.0


def owner_let_go(owner_pid: int) -> bool:
    """Wait for the owner's end (False) or its word that nothing is to be done (True)."""
    while True:
        readable, _, _ = select.select([0], [], [], LOOK_S)
        if readable:
            return os.read(0, 1) != b""
        if os.getppid() != owner_pid:
            return False


def main(state_dir: str, owner_pid: str, *servers: str) -> int:
    """Wait, then take the servers down; see above."""
    if owner_let_go(int(owner_pid)):
        return 0
    from services.runtime.local import Instance, Server

    Instance(Path(state_dir)).down(tuple(Server(name) for name in servers), at_once=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
