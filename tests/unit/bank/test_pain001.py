"""The payment file: what stands in it, that its XSD and an independent producer agree with it, and that nothing else is read as one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from lxml import etree
from sepaxml import SepaTransfer

from schemas.contracts import Account, Party
from schemas.ids import PartyId
from services.bank.errors import BankCode, BankError
from services.bank.pain001 import message_id, payment_file
from services.bank.references import checked_iban, creditor_reference, name_for_bank, transaction_uuid
from services.bank.xml import PAIN_001, read_xml
from services.settlement.payments import Payment

OPCO = PartyId("opco")
CREATED = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
MESSAGE = message_id("harvest", 7)
IBANS = {"opco": "DE89370400440532013000", "grocer": "GB82WEST12345698765432", "fuelco": "NL91ABNA0417164300", "baker": "FR1420041010050500013M02606"}
NAMES = {"opco": "Harvest Operating Company", "grocer": "Grocer", "fuelco": "Fuel & Co", "baker": "Bäckerei Weiß"}
PARTIES = {PartyId(name): Party(id=PartyId(name), kind="merchant", name=NAMES[name], account=Account(iban=IBANS[name])) for name in IBANS}
PAYMENTS = [
    Payment("20260302-EUR-AAAAAAAAAAAAAAAAAAAA", "EUR", "opco", "grocer", 133_418, date(2026, 3, 3)),
    Payment("20260302-EUR-BBBBBBBBBBBBBBBBBBBB", "EUR", "opco", "baker", 5, date(2026, 3, 3)),
    Payment("20260302-EUR-CCCCCCCCCCCCCCCCCCCC", "EUR", "fuelco", "opco", 99, date(2026, 3, 3)),
    Payment("20260302-JPY-DDDDDDDDDDDDDDDDDDDD", "JPY", "opco", "fuelco", 1250, date(2026, 3, 3)),
    Payment("20260302-EUR-EEEEEEEEEEEEEEEEEEEE", "EUR", "opco", "fuelco", 700, date(2026, 3, 4)),
]


def written(payments: list[Payment] = PAYMENTS, **parties: Party) -> bytes:
    return payment_file(MESSAGE, payments, OPCO, PARTIES | {PartyId(name): party for name, party in parties.items()}, CREATED)


def texts(root: Any, path: str) -> list[str]:
    """What stands at a path, in the order of the file."""
    return [str(found.text) for found in root.findall("/".join(f"{{{PAIN_001}}}{step}" for step in path.split("/")))]


def refused(code: BankCode, content: bytes) -> None:
    with pytest.raises(BankError) as refusal:
        read_xml(content, PAIN_001)
    assert refusal.value.code is code


def test_there_is_a_block_for_each_currency_and_value_date_and_only_the_operator_pays() -> None:
    root = read_xml(written(), PAIN_001)
    header, block = "CstmrCdtTrfInitn/GrpHdr/", "CstmrCdtTrfInitn/PmtInf/"
    assert texts(root, header + "MsgId") == [MESSAGE]
    assert texts(root, header + "CreDtTm") == ["2026-03-03T07:00:00Z"]
    assert (texts(root, header + "NbOfTxs"), texts(root, header + "CtrlSum")) == (["4"], ["2591.23"])
    assert texts(root, block + "PmtInfId") == [f"{MESSAGE}-1", f"{MESSAGE}-2", f"{MESSAGE}-3"]
    assert texts(root, block + "ReqdExctnDt/Dt") == ["2026-03-03", "2026-03-04", "2026-03-03"]
    assert texts(root, block + "DbtrAcct/Ccy") == ["EUR", "EUR", "JPY"]
    assert texts(root, block + "NbOfTxs") == ["2", "1", "1"]
    assert texts(root, block + "CtrlSum") == ["1334.23", "7.00", "1250"]
    assert texts(root, block + "DbtrAcct/Id/IBAN") == [IBANS["opco"]] * 3
    transfer = block + "CdtTrfTxInf/"
    assert texts(root, transfer + "Amt/InstdAmt") == ["1334.18", "0.05", "7.00", "1250"]
    assert texts(root, transfer + "PmtId/EndToEndId") == [PAYMENTS[no].id for no in (0, 1, 4, 3)]
    assert texts(root, transfer + "CdtrAcct/Id/IBAN") == [IBANS[name] for name in ("grocer", "baker", "fuelco", "fuelco")]
    assert texts(root, transfer + "Cdtr/Nm") == ["Grocer", "Backerei Weiss", "Fuel . Co", "Fuel . Co"]
    assert texts(root, transfer + "RmtInf/Strd/CdtrRefInf/Ref")[0] == creditor_reference(PAYMENTS[0].id)


def test_the_same_payments_give_the_same_file_whatever_their_order() -> None:
    assert written() == written(PAYMENTS[::-1])
    assert message_id("harvest", 7, 2) != MESSAGE != message_id("harvest", 8) != message_id("other", 8)
    assert len(message_id("harvest", 2**31 - 1, 999) + "-999") <= 35


def test_an_independent_producer_says_the_same_of_the_same_payments() -> None:
    ours = [one for one in PAYMENTS if (one.payer, one.currency, one.value_date) == ("opco", "EUR", date(2026, 3, 3))]
    other = SepaTransfer(
        {"name": "Harvest Operating Company", "IBAN": IBANS["opco"], "BIC": "COBADEFFXXX", "batch": True, "currency": "EUR"}, schema="pain.001.001.09"
    )
    for one in ours:
        payee = {"name": name_for_bank(NAMES[one.payee]), "IBAN": IBANS[one.payee], "BIC": "COBADEFFXXX"}
        told = {"amount": one.amount_minor, "execution_date": one.value_date, "description": "settlement", "endtoend_id": one.id}
        other.add_payment(payee | told)
    theirs, root = read_xml(other.export(validate=True), PAIN_001), read_xml(written(ours), PAIN_001)
    for path in ("GrpHdr/NbOfTxs", "GrpHdr/CtrlSum", "PmtInf/ReqdExctnDt/Dt", "PmtInf/CdtTrfTxInf/Amt/InstdAmt", "PmtInf/CdtTrfTxInf/PmtId/EndToEndId",
                 "PmtInf/CdtTrfTxInf/CdtrAcct/Id/IBAN", "PmtInf/CdtTrfTxInf/Cdtr/Nm", "PmtInf/DbtrAcct/Id/IBAN"):  # fmt: skip
        assert texts(theirs, f"CstmrCdtTrfInitn/{path}") == texts(root, f"CstmrCdtTrfInitn/{path}") != [], path


@pytest.mark.parametrize(
    ("payments", "parties", "code"),
    [
        ([PAYMENTS[2]], {}, BankCode.NOTHING_TO_PAY),
        ([], {}, BankCode.NOTHING_TO_PAY),
        (PAYMENTS, {"grocer": PARTIES[PartyId("grocer")].model_copy(update={"account": None})}, BankCode.NO_ACCOUNT),
        (PAYMENTS, {"opco": PARTIES[OPCO].model_copy(update={"account": None})}, BankCode.NO_ACCOUNT),
        (PAYMENTS, {"grocer": PARTIES[PartyId("grocer")].model_copy(update={"account": Account(iban="GB83WEST12345698765432")})}, BankCode.BAD_IBAN),
        ([replace(PAYMENTS[0], id="x" * 36)], {}, BankCode.NOT_VALID),
        ([replace(PAYMENTS[0], amount_minor=-1)], {}, BankCode.NOT_VALID),
    ],
)
def test_a_file_that_no_bank_could_take_is_not_written(payments: list[Payment], parties: dict[str, Party], code: BankCode) -> None:
    with pytest.raises(BankError) as refusal:
        written(payments, **parties)
    assert refusal.value.code is code


def hostile() -> Iterator[Any]:
    good = written()
    body = good.partition(b"?>\n")[2]
    entity = b'<!DOCTYPE d [<!ENTITY a "%s">]>' % (b"7" * 10)
    laughs = b'<!DOCTYPE d [<!ENTITY a "ha">' + b"".join(b'<!ENTITY %c "%s">' % (98 + no, b"&%c;" % (97 + no) * 10) for no in range(9)) + b"]>"
    outside = b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    amount = b">1334.18<"
    for name, code, content in (
        ("empty", BankCode.BAD_XML, b""),
        ("cut off", BankCode.BAD_XML, good[:-20]),
        ("no xml", BankCode.BAD_XML, b"{}"),
        ("not utf-8", BankCode.BAD_XML, good.replace(b"Grocer", b"Gr\xffcer")),
        ("zero byte", BankCode.BAD_XML, good.replace(b"Grocer", b"Gr\x00cer")),
        ("entity", BankCode.BAD_XML, entity + body.replace(b">Grocer<", b">&a;<")),
        ("a document type", BankCode.BAD_XML, b"<!DOCTYPE d>" + body),
        ("entities of entities", BankCode.BAD_XML, laughs + body.replace(b">Grocer<", b">&i;<")),
        ("an entity from outside", BankCode.BAD_XML, outside + body.replace(b">Grocer<", b">&a;<")),
        ("too deep", BankCode.BAD_XML, b"<a>" * 5000 + b"</a>" * 5000),
        ("another version", BankCode.NOT_VALID, good.replace(b"001.001.09", b"001.001.03")),
        ("no name space", BankCode.NOT_VALID, good.replace(b' xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"', b"")),
        ("a negative amount", BankCode.NOT_VALID, good.replace(amount, b">-1334.18<")),
        ("an amount with six places", BankCode.NOT_VALID, good.replace(amount, b">1334.180001<")),
        ("an amount in words", BankCode.NOT_VALID, good.replace(amount, b">much<")),
        ("no currency", BankCode.NOT_VALID, good.replace(b' Ccy="EUR"', b"", 1)),
        ("a currency of two letters", BankCode.NOT_VALID, good.replace(b'Ccy="EUR"', b'Ccy="EU"', 1)),
        ("no such day", BankCode.NOT_VALID, good.replace(b"<Dt>2026-03-04<", b"<Dt>2026-02-30<")),
        ("an unknown element", BankCode.NOT_VALID, good.replace(b"<PmtMtd>TRF</PmtMtd>", b"<PmtMtd>TRF</PmtMtd><More/>")),
        ("a missing element", BankCode.NOT_VALID, good.replace(b"<PmtMtd>TRF</PmtMtd>", b"")),
    ):
        yield pytest.param(code, content, id=name)


@pytest.mark.parametrize(("code", "content"), list(hostile()))
def test_what_is_no_message_is_refused(code: BankCode, content: bytes) -> None:
    refused(code, content)


def test_a_good_file_is_not_refused_for_comments() -> None:
    assert etree.tostring(read_xml(written().replace(b"<PmtMtd>", b"<!-- said --><PmtMtd>"), PAIN_001)).count(b"said") == 0


@pytest.mark.parametrize(
    ("text", "reference"),
    [("539007547034", "RF18539007547034"), ("20260302-EUR-AAAAAAAAAAAAAAAAAAAA", None), ("x", None), ("20260303-EUR-22XSV7S74OAQG7R2CLTC", None)],
)
def test_creditor_references_have_the_check_digits_of_iso_11649(text: str, reference: str | None) -> None:
    made = creditor_reference(text)
    assert reference in (None, made)
    assert len(made) <= 25
    assert int("".join(str(int(letter, 36)) for letter in made[4:] + made[:4])) % 97 == 1


def test_account_numbers_names_and_transactions_are_what_banks_take() -> None:
    assert [checked_iban(iban, name) for name, iban in IBANS.items()] == list(IBANS.values())
    for wrong in ("DE88370400440532013000", "DE89370400440532013001", "DE89370400440532010300"):
        with pytest.raises(BankError):
            checked_iban(wrong, "opco")
    assert name_for_bank("Crème & Brûlée <GmbH>") == "Creme . Brulee .GmbH."
    assert name_for_bank("店") == "."
    assert len(name_for_bank("n" * 200)) == 70
    first = transaction_uuid(MESSAGE, "a")
    assert (first[14], first[19] in "89ab", first == transaction_uuid(MESSAGE, "a"), first == transaction_uuid(MESSAGE, "b")) == ("4", True, True, False)
