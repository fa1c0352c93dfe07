"""A window is closed while events pour in: each lies in exactly one window, and everything is as if it had been sent to that window alone."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Self

from confluent_kafka import Consumer, TopicPartition

from services.kafka.producer import producer
from services.night.run import close_by_hand
from services.runtime.local import Instance
from tests.faults import child
from tests.faults.books import assert_same, assert_whole, books_of
from tests.faults.children import Child
from tests.faults.site import SMALL_BATCH, Site, site
from tests.faults.waiting import until
from tests.faults.workload import CAFE, DAYS, FUELCO, Sent, Window, buy, people

SESSION_MS = 20_000
CUTS = "select t.name, c.day, c.part, c.end_offset from cut c join topic t on t.no = c.topic"
PLACES = (
    "select e.day, e.record >> 56, e.record >> 40 & 65535, min(e.record & 1099511627775), max(e.record & 1099511627775), count(*) from entry e group by 1, 2, 3"
)


def stream() -> Iterator[Sent]:
    """Purchases of the first day without end; in whichever window one lies, it brings the same."""
    rnd = random.Random(11)
    members = people()
    while True:
        window = Window(0)
        window.count = rnd.randrange(10_000)
        for _ in range(40):
            person = rnd.choice(members)
            card = rnd.choice((person.a, person.b))
            source, category = rnd.choice(((FUELCO, "fuel"), ("/partners/grocer", "dairy"), ("/partners/grocer", "grocery"), (CAFE, "coffee")))
            buy(window, card, (category, rnd.randrange(300, 4000)), source=source, event_id=f"p-{rnd.getrandbits(60):x}")
        yield from window.shuffled(rnd)


class Pouring:
    """A sender that waits for nobody; how far it may go ahead is told, so that books on a slow machine keep up."""

    def __init__(self, one: Site) -> None:
        self.sent: list[Sent] = []
        self.most = 0
        self._one = one
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        sender = producer(self._one.kafka_bootstrap, **{"linger.ms": 1})
        for sent in stream():
            while len(self.sent) >= self.most and not self._stop.is_set():
                self._stop.wait(0.01)
            if self._stop.is_set():
                break
            sender.produce(self._one.topic(sent.topic), value=sent.value, key=sent.key, partition=sent.partition)
            self.sent.append(sent)
            if len(self.sent) % 10 == 0:
                sender.flush()
                self._stop.wait(0.002)
        assert sender.flush(60) == 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def test_windows_are_closed_while_events_pour_in(one: Site, servers: Instance) -> None:
    with (
        Child(child.share, one, SMALL_BATCH, SESSION_MS) as first,
        Child(child.share, one, SMALL_BATCH, SESSION_MS) as second,
        Pouring(one) as pouring,
    ):
        for day in DAYS[:2]:
            so_far = len(pouring.sent)
            pouring.most = so_far + 2_000
            until(lambda so_far=so_far: len(pouring.sent) > so_far + 300)  # type: ignore[misc]
            before = len(pouring.sent)
            close_by_hand(one, one.name, day)
            assert len(pouring.sent) > before, "events came while it was closed"
        pouring.__exit__()
        close_by_hand(one, one.name, DAYS[2])
        first.stop()
        second.stop()
    assert_whole(one, pouring.sent, windows=len(DAYS))
    _each_event_lies_where_its_offset_says(one)
    with site(servers.addresses) as quiet:
        quiet.play(_windows_of(one))
        assert_whole(quiet, pouring.sent, windows=len(DAYS))
        assert_same(books_of(one), books_of(quiet))


def _each_event_lies_where_its_offset_says(one: Site) -> None:
    with one.books() as books:
        numbers: dict[str, int] = dict(books.execute("select name, no from topic").fetchall())
        ends = {(day, numbers[topic], part): end for topic, day, part, end in books.execute(CUTS)}
        booked = Counter[object]()
        for day, topic, part, lowest, highest, count in books.execute(PLACES):
            begin = max((end for (other, t, p), end in ends.items() if other < day and (t, p) == (topic, part)), default=0)
            assert begin <= lowest <= highest < ends[day, topic, part], "before its window's cut, and not before the cut of the one before"
            assert count == ends[day, topic, part] - begin
            booked[day] += count
    assert all(booked[day] > 0 for day in DAYS), "there are events on either side of every cut"


def _windows_of(one: Site) -> list[list[Sent]]:
    """What the topics hold, by the windows in which it was cut; each partition in its order."""
    with one.books() as books:
        cuts = books.execute(CUTS + " order by c.day").fetchall()
    consumer = Consumer({"bootstrap.servers": one.kafka_bootstrap, "group.id": "faults", "enable.auto.commit": False})
    windows: dict[object, list[Sent]] = {day: [] for day in DAYS}
    begin: dict[tuple[str, int], int] = {}
    try:
        for topic, day, part, end in cuts:
            start = begin.get((topic, part), 0)
            begin[topic, part] = end
            if start == end:
                continue
            consumer.assign([TopicPartition(one.topic(topic), part, start)])
            found = 0
            while found < end - start:
                for message in consumer.consume(end - start - found, 1):
                    assert message.error() is None
                    windows[day].append(Sent(topic, part, (message.key() or b"").decode(), message.value() or b""))
                    found += 1
    finally:
        consumer.close()
    return list(windows.values())
