"""Payment files as the books keep them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg

FILES = """
select f.message_id, f.file_no, f.sha256, f.content, (select count(*) from payment_attempt a where a.message_id = f.message_id),
  (select min(h.at) from handed_over h where h.message_id = f.message_id), file_put_aside(f.message_id)
from payment_file f where f.run = %s order by f.file_no
"""


@dataclass(frozen=True, slots=True)
class NotedFile:
    """A payment file as it is noted; `handed_over_at`: None where it was not handed over.

    `put_aside`: two people have decided that it is never handed over.
    """

    message_id: str
    file_no: int
    sha256: str
    content: bytes
    payments: int
    handed_over_at: datetime | None
    put_aside: bool

    @property
    def to_hand_over(self) -> bool:
        """Whether it still goes to the bank."""
        return self.handed_over_at is None and not self.put_aside


def files_of(connection: psycopg.Connection, run: int) -> list[NotedFile]:
    """The payment files of a run, in their order."""
    rows = connection.execute(FILES, (run,))
    return [NotedFile(name, no, sha256, bytes(content), count, at, aside) for name, no, sha256, content, count, at, aside in rows]
