"""One batch on a real PostgreSQL: who may send, what is refused and kept of it, what came before, and what a batch that lost its place does."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from clearing.plan import Plan
from schemas.ids import PartyId
from services.accrual.batch import BatchBooker, LostPartition
from services.accrual.incoming import SIGNATURE, SenderKeys
from services.journal.migrate import connect
from services.journal.names import Names
from services.runtime.local import Addresses
from tests.contract.houses import EVERYTHING, PgHouse, on_postgres
from tests.short import MONDAY, Json, adjust, back, card, enrol, of_member, purchase, redeem, value_of
from tests.unit.clearing.till import BASE, coalition

SECRET, OTHER = b"grocer's secret", b"fuelco's secret"
KEYS = SenderKeys({"g1": (PartyId("grocer"), SECRET), "f1": (PartyId("fuelco"), OTHER)})
CARD_NUMBER = "4111111111111111"
Open = Callable[..., PgHouse]


@pytest.fixture
def house(addresses: Addresses) -> Iterator[Open]:
    """Opens books of the test's own: a point for each euro, members m1 and m2."""
    with ExitStack() as stack:
        yield lambda keys=None, partitions=1, **terms: stack.enter_context(on_postgres(addresses.postgres_uri, coalition(BASE, **terms), partitions, keys))


def signed(value: bytes, key_id: str = "g1", secret: bytes = SECRET) -> list[tuple[str, str | bytes | None]]:
    return [("other", b"x"), (SIGNATURE, f"{key_id}:{hmac.new(secret, value, hashlib.sha256).hexdigest()}".encode())]


def entries(one: PgHouse) -> list[tuple[Any, ...]]:
    """Outcome, code, pointer and id of every entry, in order of receipt."""
    return one.connection.execute("select outcome, code, pointer, id from entry order by record").fetchall()


def answered(one: PgHouse) -> list[tuple[Any, ...]]:
    """Records whose answers are to be sent, in order."""
    return one.connection.execute("select record & 1023 from outbox where record is not null order by xid, seq").fetchall()


def tally(one: PgHouse) -> dict[str, int]:
    return dict(one.connection.execute("select outcome, sum(events)::int from tally group by 1").fetchall())


# --- who may send ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["/partners/grocer", "/partners/bank1", "/operator/opco", "/banks/grocer"])
def test_only_banks_send_card_transactions_and_only_as_banks(house: Open, source: str) -> None:
    one = house()
    one.send({**card("t1", 500), "source": source}, card("t1", 500))
    one.book()
    assert entries(one) == [("rejected", "wrong-source", "/source", None), ("accepted", None, None, "t1")]


def test_a_record_signed_by_its_sender_is_booked(house: Open) -> None:
    one = house(KEYS)
    value = value_of(purchase("e1", 1000))
    one.append(value, signed(value))
    one.book()
    assert entries(one) == [("accepted", None, None, "e1")]


@pytest.mark.parametrize(
    "headers",
    [
        lambda _: None,
        lambda _: [],
        lambda value: signed(value, secret=b"guessed"),
        lambda value: signed(value, "f1", OTHER),  # fuelco's own signature under the grocer's name
        lambda value: signed(value, "nobody"),
        lambda value: signed(value + b" "),
        lambda _: [(SIGNATURE, b"g1")],
        lambda _: [(SIGNATURE, b"\xff\xfe:00")],
        lambda _: [(SIGNATURE, None)],
    ],
)
def test_a_missing_or_wrong_signature_is_refused_and_claims_no_id(house: Open, headers: Callable[[bytes], Any]) -> None:
    one = house(KEYS)
    value = value_of(purchase("e1", 1000))
    one.append(value, headers(value))
    one.book()
    assert entries(one) == [("rejected", "wrong-source", "/source", None)]
    assert one.connection.execute("select count(*) from identity").fetchone() == (0,)
    one.append(value, signed(value))
    one.book()
    assert one.outcome("e1") == "accepted 2026-03-02"
    assert one.points("m1").available == 10


@pytest.mark.parametrize("source", ["/operator/grocer", "/banks/grocer"])
def test_a_sender_speaks_in_no_role_but_its_own(house: Open, source: str) -> None:
    one = house()
    one.send({**purchase("e1", 1000), "source": source})
    one.book()
    assert entries(one) == [("rejected", "wrong-source", "/source", None)]


@pytest.mark.parametrize("event", [purchase("e1", 50), back("e1", "e0", {1: 50}), adjust("e1", "e0", {1: 50})], ids=lambda event: event["type"])
def test_what_sellers_send_is_not_sent_as_operator_and_claims_no_id(house: Open, event: Json) -> None:
    one = house()
    one.send({**event, "source": "/operator/opco"})
    one.book()
    assert entries(one) == [("rejected", "wrong-source", "/source", None)]
    assert one.connection.execute("select count(*) from identity").fetchone() == (0,)


def test_an_operator_that_also_sells_sends_its_purchases_as_a_partner(house: Open) -> None:
    one = house()
    one.send({**purchase("e1", 50), "source": "/partners/opco"}, {**enrol("n1", "m9", "c9")})
    one.book()
    assert [row[0] for row in entries(one)] == ["accepted", "accepted"]


# --- card numbers ------------------------------------------------------------------------------------------------------------------------


def everything(one: PgHouse) -> str:
    """Every column of every table as one text."""
    return "\n".join(
        text
        for table in EVERYTHING
        for (text,) in one.connection.execute(f"select t::text from {table} t").fetchall()  # noqa: S608
    )


@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        (purchase("e1", 1000, card=CARD_NUMBER), "/data/card"),
        (purchase("e1", 1000, card="4111-1111-1111-1111"), "/data/card"),
        ({**purchase("e1", 1000), "subject": CARD_NUMBER}, "/subject"),
        (of_member("member-attributes", "e1", "m1", attributes={"note": f"pays with {CARD_NUMBER}"}), "/data/attributes/note"),
        (enrol("e1", "m9", CARD_NUMBER), "/data/cards/0"),
    ],
)
def test_of_an_event_with_a_card_number_in_clear_no_part_is_kept(house: Open, event: Json, pointer: str) -> None:
    one = house()
    one.send(event, purchase("e2", 1000))
    one.book()
    assert [row[:3] for row in entries(one)] == [("rejected", "card-number-in-clear", pointer), ("accepted", None, None)]
    row = one.connection.execute("select body, raw, card from entry where code is not null").fetchone()
    assert row == (None, None, None)
    kept = everything(one)
    assert CARD_NUMBER not in kept
    assert CARD_NUMBER[:6] not in kept.replace("-", "")


@pytest.mark.parametrize("value", [b'{"card": "4111111111111111"', b'{"specversion":"1.0","id":"e1","card":"4111 1111 1111 1111"}'])
def test_of_what_cannot_be_read_nothing_is_kept_where_a_card_number_may_stand_in_it(house: Open, value: bytes) -> None:
    one = house()
    one.append(value)
    one.book()
    assert entries(one)[0][:2] == ("rejected", "malformed")
    assert "4111" not in everything(one)


def test_receipts_and_ids_may_look_like_card_numbers(house: Open) -> None:
    one = house()
    one.send(purchase(CARD_NUMBER, 1000))
    one.book()
    assert one.outcome(CARD_NUMBER) == "accepted 2026-03-02"


# --- what came before --------------------------------------------------------------------------------------------------------------------


def respaced(event: Json) -> bytes:
    """The same content with other spacing and another order of keys."""
    return json.dumps(dict(reversed(event.items())), indent=2).encode()


def test_the_same_content_in_other_spacing_and_order_gets_the_same_answer_again_and_books_nothing(house: Open) -> None:
    one, event = house(), purchase("e1", 1000)
    one.send(event)
    one.book()
    one.append(respaced(event))
    one.send(event)
    one.book()
    assert entries(one) == [("accepted", None, None, "e1")]
    assert answered(one) == [(0,), (0,), (0,)]
    assert tally(one) == {"accepted": 1, "duplicate": 2}
    assert one.points("m1").available == 10


def test_the_same_content_twice_in_one_batch_is_booked_once(house: Open) -> None:
    one, event = house(), purchase("e1", 1000)
    one.send(event)
    one.append(respaced(event))
    one.send(event)
    one.book()
    assert tally(one) == {"accepted": 1, "duplicate": 2}
    assert one.points("m1").available == 10


def test_a_rejection_is_repeated_too(house: Open) -> None:
    one, event = house(), redeem("x1", 10)
    for _ in range(2):
        one.send(event)
        one.book()
        one.send(purchase("e1", 1000))  # what would make it succeed changes nothing
    assert entries(one)[0] == ("rejected", "insufficient-points", "/data/points", "x1")
    assert tally(one) == {"rejected": 1, "duplicate": 1, "accepted": 1}
    assert one.points("m1").available == 10


@pytest.mark.parametrize("apart", [False, True])
def test_the_same_id_with_other_content_is_refused_and_what_was_there_stays(house: Open, apart: bool) -> None:
    one = house()
    one.send(purchase("e1", 1000))
    if apart:
        one.book()
    one.send(purchase("e1", 2000))
    one.book()
    assert entries(one) == [("accepted", None, None, "e1"), ("rejected", "id-reused", "/id", "e1")]
    assert one.points("m1").available == 10
    one.send(purchase("e1", 1000))
    one.book()
    assert tally(one) == {"accepted": 1, "rejected": 1, "duplicate": 1}


def test_the_same_id_of_another_sender_is_another_event(house: Open) -> None:
    one = house()
    one.send(purchase("e1", 1000), purchase("e1", 1000, partner="fuelco"))
    one.book()
    assert tally(one) == {"accepted": 2}
    assert one.points("m1").available == 20


# --- poison ------------------------------------------------------------------------------------------------------------------------------

GOOD = value_of(purchase("good", 1000))
POISON = {
    "nothing": (b"", "malformed", ""),
    "no JSON": (b"<purchase/>", "malformed", ""),
    "broken UTF-8": (b'{"id": "\xff\xfe"}', "malformed", ""),
    "a list": (b"[1, 2]", "malformed", ""),
    "cut in the middle": (GOOD[:100], "malformed", ""),
    "no envelope": (b'{"hello": "world"}', "malformed", None),
    "an unknown field": (GOOD.replace(b'"store"', b'"stoer"'), "malformed", "/data/store"),
    "a float": (GOOD.replace(b"1000", b"1000.5"), "malformed", None),
    "a zero character": (GOOD.replace(b'"receipt": "good"', b'"receipt": "go\\u0000od"'), "malformed", None),
    "an unknown type": (GOOD.replace(b"purchase.v1", b"purchase.v9").replace(b'"good"', b'"other"'), "unknown-type", "/type"),
    "two megabytes": (GOOD.replace(b'"1"', b'"' + b"1" * 2_000_000 + b'"', 1), "malformed", None),
}


@pytest.mark.parametrize("what", POISON)
def test_poison_is_refused_with_code_and_pointer_and_the_batch_goes_on(house: Open, what: str) -> None:
    value, code, pointer = POISON[what]
    one = house()
    one.append(value.replace(b'"good"', b'"bad"'))
    one.append(GOOD)
    done = one.booker.book(one.waiting())
    outcome, found, at, _ = entries(one)[0]
    assert (outcome, found) == ("rejected", code)
    assert at is not None
    assert pointer is None or at == pointer
    assert one.outcome("good") == "accepted 2026-03-02"
    assert (done.booked, done.unreadable, sorted(answered(one))) == (2, 1, [(0,), (1,)])
    body, raw = one.connection.execute("select body, raw from entry where code is not null").fetchone() or (None, None)
    assert value.replace(b'"good"', b'"bad"') in (raw, (body or "").encode())


MALFORMED = GOOD.replace(b'"store"', b'"stoer"')


def test_a_malformed_event_claims_its_id_and_counts_for_its_party(house: Open) -> None:
    one = house()
    for value in (MALFORMED, MALFORMED.replace(b": ", b":"), GOOD):
        one.append(value)
        one.book()
    assert [(row[0], row[1], row[2]) for row in entries(one)] == [("rejected", "malformed", "/data/store"), ("rejected", "id-reused", "/id")]
    assert tally(one) == {"rejected": 2, "duplicate": 1}
    counted = one.connection.execute("select distinct p.id from tally t left join party p on p.no = t.party").fetchall()
    assert counted == [("grocer",)]
    (answer,) = one.connection.execute("select answer from entry where code = 'malformed'").fetchone() or ("",)
    assert json.loads(answer)["event"] == {"source": "/partners/grocer", "id": "good"}
    assert json.loads(answer)["type"] == "purchase.v1"
    assert answered(one) == [(0,), (0,), (2,)]


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (MALFORMED, lambda _: None),
        (MALFORMED, lambda value: signed(value, "nobody")),
        (MALFORMED.replace(b"/partners/grocer", b"/banks/grocer"), signed),
        (MALFORMED.replace(b"/partners/grocer", b"/operator/opco"), signed),
        (MALFORMED.replace(b'"stoer"', b'"stoer": 1, "stoer"'), signed),
        (MALFORMED.replace(b'"stoer"', b'"stoer": ' + b"[" * 5_000 + b"]" * 5_000 + b', "store"'), signed),
        (MALFORMED + b" " * 1_048_576, signed),
    ],
    ids=["not signed", "signed by nobody", "as a bank", "as operator", "a key twice", "nested too deeply", "too large"],
)
def test_a_malformed_event_of_nobody_who_may_speak_or_that_can_be_read_in_two_ways_claims_no_id(
    house: Open, value: bytes, headers: Callable[[bytes], Any]
) -> None:
    one = house(KEYS)
    one.append(value, headers(value))
    one.book()
    assert entries(one)[0][:2] == ("rejected", "malformed")
    assert one.connection.execute("select count(*) from identity").fetchone() == (0,)
    one.append(GOOD, signed(GOOD))
    one.book()
    assert one.outcome("good") == "accepted 2026-03-02"


def test_a_malformed_event_with_a_card_number_claims_its_id_and_no_part_of_the_number_is_kept(house: Open) -> None:
    one = house()
    value = MALFORMED.replace(b'"c1"', f'"{CARD_NUMBER}"'.encode())
    assert CARD_NUMBER.encode() in value
    one.append(value)
    one.append(value)
    one.append(GOOD)
    one.book()
    assert [row[1] for row in entries(one)] == ["malformed", "id-reused"]
    assert tally(one) == {"rejected": 2, "duplicate": 1}
    assert CARD_NUMBER[:6] not in everything(one).replace("-", "")


# --- the fence ---------------------------------------------------------------------------------------------------------------------------


def test_a_batch_that_is_booked_already_is_passed_over(house: Open) -> None:
    one = house()
    one.send(purchase("e1", 1000))
    batch = one.waiting()
    one.booker.book(batch)
    before = one.everything()
    assert one.booker.book(batch).booked == 0
    assert one.everything() == before


def test_of_a_batch_that_overlaps_only_the_new_part_is_booked(house: Open) -> None:
    one = house()
    one.send(purchase("e1", 1000))
    first = one.waiting()
    one.send(purchase("e2", 500))
    one.booker.book(first)
    assert one.booker.book([*first, *one.log[0][1:]]).booked == 1
    assert one.points("m1").available == 15


def test_a_gap_between_the_books_and_the_reading_books_nothing(house: Open) -> None:
    one = house()
    one.send(purchase("e1", 1000), purchase("e2", 500))
    before = one.everything()
    with pytest.raises(LostPartition):
        one.booker.book(one.waiting()[1:])
    assert one.everything() == before


def booker_of(one: PgHouse) -> BatchBooker:
    """A second processor on the same books."""
    connection = connect(one.uri, one.schema, autocommit=True)
    return BatchBooker(connection, Plan(one.file), Names(connection), one.kafka_topics)


def at_once(*work: Callable[[], Any]) -> list[BaseException | None]:
    """Does everything at the same moment; returns what each raised."""
    barrier = threading.Barrier(len(work))
    raised: list[BaseException | None] = [None] * len(work)

    def run(no: int) -> None:
        barrier.wait()
        try:
            work[no]()
        except BaseException as error:  # noqa: BLE001  # handed to the test
            raised[no] = error

    threads = [threading.Thread(target=run, args=(no,)) for no in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_of_two_that_believe_they_own_a_partition_one_books_and_nothing_is_booked_twice(house: Open) -> None:
    one = house()
    other = booker_of(one)
    try:
        for round_ in range(8):
            one.send(*[purchase(f"e{round_}-{no}", 100) for no in range(20)])
            batch = one.waiting()
            raised = at_once(lambda: one.booker.book(batch), lambda: other.book(batch))  # noqa: B023  # done within the round
            assert all(error is None or isinstance(error, LostPartition) for error in raised)
    finally:
        other.connection.close()
    assert one.points("m1").available == 160
    assert tally(one) == {"accepted": 160}


def test_the_last_points_at_two_tills_at_once_go_to_one(house: Open) -> None:
    """Two cards of one member, in two partitions, in two processors."""
    one = house(partitions=2)
    one.connection.execute("insert into card (card, member) select 'c1b', no from member where id = 'm1'")
    other = booker_of(one)
    try:
        for round_ in range(8):
            one.send(purchase(f"e{round_}", 10_000))
            one.book()
            one.send(redeem(f"x{round_}", 100), partition=0)
            one.send(redeem(f"y{round_}", 100, card="c1b", partner="baker"), partition=1)
            left, right = ([incoming for incoming in one.waiting() if incoming.partition == part] for part in (0, 1))
            assert at_once(lambda: one.booker.book(left), lambda: other.book(right)) == [None, None]  # noqa: B023  # as above
            outcomes = sorted((one.outcome(f"x{round_}"), one.outcome(f"y{round_}")))
            assert outcomes == ["accepted 2026-03-02", "rejected insufficient-points"]
            assert one.points("m1").available == 0
    finally:
        other.connection.close()


def test_the_same_ids_in_opposite_orders_at_once_do_not_lock_each_other_out(house: Open) -> None:
    one = house(partitions=2)
    other = booker_of(one)
    events = [purchase(f"e{no}", 100, card=f"c{no % 2 + 1}") for no in range(200)]
    try:
        for partition, order in ((0, events), (1, events[::-1])):
            one.send(*order, partition=partition)
        left, right = ([incoming for incoming in one.waiting() if incoming.partition == part] for part in (0, 1))
        assert at_once(lambda: one.booker.book(left), lambda: other.book(right)) == [None, None]
    finally:
        other.connection.close()
    assert tally(one) == {"accepted": 200, "duplicate": 200}
    assert one.points("m1").available + one.points("m2").available == 200


def test_holding_an_event_and_enrolling_its_card_at_once_meet(house: Open) -> None:
    one = house(partitions=2)
    other = booker_of(one)
    try:
        for no in range(8):
            one.send(purchase(f"e{no}", 1000, card=f"k{no}"), partition=0)
            one.send(enrol(f"n{no}", f"new{no}", f"k{no}"), partition=1)
            left, right = ([incoming for incoming in one.waiting() if incoming.partition == part] for part in (0, 1))
            assert at_once(lambda: one.booker.book(left), lambda: other.book(right)) == [None, None]  # noqa: B023  # as above
            assert one.outcome(f"e{no}") == f"accepted {MONDAY}"
            assert one.points(f"new{no}").available == 10
    finally:
        other.connection.close()
    assert one.connection.execute("select count(*) from held").fetchone() == (0,)
