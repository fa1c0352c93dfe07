"""Starts one server as a daemon of its own: `python -I -S launch.py PID_FILE LOG_FILE USER COMMAND…`. Knows only the standard library.

The process that asks may die at any instant, and still no server may be left that no pid file names. Hence the order:
the launcher forks, writes the child's process id, and only then tells the child to become the server. If the launcher dies before, the child
sees its pipe close and ends. The launcher holds the instance's lock (an inherited file) until it ends, so whoever waits for the lock finds the pid file.

USER is empty, or the account PostgreSQL runs as, since it refuses to run as root. It keeps the one right to pass folders that only
root may enter, so that an instance can lie anywhere root can put it. Linux only.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path

PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


def become(user: str) -> None:
    """Change from root to `user`, keeping the right to read what root may read (CAP_DAC_OVERRIDE), across exec."""
    import pwd

    account = pwd.getpwnam(user)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    bit = 1 << CAP_DAC_OVERRIDE
    data = struct.pack("IIIIII", bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; then the upper halves
    if libc.capset(header, data) == 0:  # where the right is not given, the server's log says what it could not read
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)
    os.environ["HOME"] = "/"


def main(pid_file: str, log_file: str, user: str, *command: str) -> int:
    """Start `command` as described above; prints nothing. Returns the launcher's exit code."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(tell)
        if os.read(told, 1) != b"g":
            os._exit(1)
        os.setsid()
        log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.closerange(3, 65536)  # the lock above all: who holds it longer than the start would hold everybody
        try:
            if user:
                become(user)
            os.execv(command[0], command)
        except OSError as error:
            os.write(2, f"{command[0]}: {error}\n".encode())
        os._exit(127)
    os.close(told)
    new = Path(pid_file + ".new")
    new.write_text(f"{child}\n", encoding="ascii")
    new.replace(pid_file)
    os.write(tell, b"g")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
