"""Broken messages of a bank, each one named change away from a good one, and the code under which it is refused."""

from __future__ import annotations

import re
from typing import Final

from services.bank.errors import BankCode
from tests.bank_messages import (
    CARD,
    THEIRS,
    Movement,
    balance,
    notification,
    payment_return,
    recall_answer,
    recall_line,
    returned,
    statement,
    status_line,
    status_report,
    transaction,
)

Broken = dict[str, tuple[bytes, BankCode]]

PAID: Final = Movement("-12.50", details=transaction("-12.50", more="<RmtInf><Ustrd>March</Ustrd></RmtInf>"))
GOOD: Final[dict[str, bytes]] = {
    "statement": statement(PAID, closing="987.50"),
    "notification": notification(PAID),
    "status report": status_report(status_line("P-1", "ACCP"), status_line("P-2", "RJCT", "AC04", "closed")),
    "return": payment_return(returned()),
    "answer to a recall": recall_answer(recall_line()),
}
"""One good message of each kind."""
ROOTS: Final = {
    "statement": b"BkToCstmrStmt", "notification": b"BkToCstmrDbtCdtNtfctn", "status report": b"CstmrPmtStsRpt", "return": b"PmtRtr",
    "answer to a recall": b"RsltnOfInvstgtn",
}  # fmt: skip
LAUGHS: Final = b'<!DOCTYPE d [<!ENTITY a "ha">' + b"".join(b'<!ENTITY %c "%s">' % (98 + no, b"&%c;" % (97 + no) * 50) for no in range(9)) + b"]>"


def edited(kind: str, old: bytes, new: bytes) -> bytes:
    """The good message of a kind with the first of these texts changed. A change that changes nothing is a mistake of the test."""
    content = GOOD[kind]
    assert old in content, f"{old!r} does not stand in the {kind}"
    return content.replace(old, new, 1)


def _bytes_of(kind: str) -> Broken:
    """Files that are no XML of a bank, made of one good message."""
    good, root = GOOD[kind], ROOTS[kind]
    declaration, body = good.split(b"\n", 1)
    msg_id = b"<CreDtTm>"
    return {
        "cut off in the middle": (good[: len(good) // 2], BankCode.BAD_XML),
        "cut off before the last character": (good.rstrip()[:-1], BankCode.BAD_XML),
        "with something behind its end": (good + b"<Document/>", BankCode.BAD_XML),
        "twice in one file": (good + body, BankCode.BAD_XML),
        "with a byte order mark": (b"\xef\xbb\xbf" + good, BankCode.BAD_XML),
        "in UTF-16 with a mark": (good.decode().replace("UTF-8", "UTF-16").encode("utf-16"), BankCode.BAD_XML),
        "in UTF-16 without a mark": (good.decode().replace("UTF-8", "UTF-16").encode("utf-16-le"), BankCode.BAD_XML),
        "in UTF-32": (good.decode().replace("UTF-8", "UTF-32").encode("utf-32"), BankCode.BAD_XML),
        "that says it is Latin-1": (good.replace(b"UTF-8", b"ISO-8859-1"), BankCode.BAD_XML),
        "that says it is EBCDIC": (good.replace(b"UTF-8", b"IBM037"), BankCode.BAD_XML),
        "with a byte of Latin-1": (good.replace(msg_id, b"<!-- \xe9 -->" + msg_id, 1), BankCode.BAD_XML),
        "with an overlong sequence": (good.replace(msg_id, b"<!-- \xc0\xaf -->" + msg_id, 1), BankCode.BAD_XML),
        "with half a surrogate": (good.replace(msg_id, b"<!-- \xed\xa0\x80 -->" + msg_id, 1), BankCode.BAD_XML),
        "with a NUL byte": (good.replace(msg_id, b"\0" + msg_id, 1), BankCode.BAD_XML),
        "with a control character": (good.replace(msg_id, b"&#1;" + msg_id, 1), BankCode.BAD_XML),
        "with a document type": (declaration + b"\n<!DOCTYPE Document>" + body, BankCode.BAD_XML),
        "with a document type from outside": (declaration + b'\n<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/a.dtd">' + body, BankCode.BAD_XML),
        "with an entity of its own": (
            declaration + b'\n<!DOCTYPE d [<!ENTITY a "x">]>' + body.replace(msg_id, b"<!-- --><X>&a;</X>" + msg_id, 1), BankCode.BAD_XML,
        ),
        "with an entity from outside": (
            declaration + b'\n<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + body.replace(msg_id, b"<X>&a;</X>" + msg_id, 1), BankCode.BAD_XML,
        ),
        "with entities of entities": (declaration + b"\n" + LAUGHS + body.replace(msg_id, b"<X>&j;</X>" + msg_id, 1), BankCode.BAD_XML),
        "with an entity that nobody declared": (good.replace(msg_id, b"<X>&a;</X>" + msg_id, 1), BankCode.BAD_XML),
        "nested five thousand deep": (good.replace(msg_id, b"<X>" * 5000 + b"</X>" * 5000 + msg_id, 1), BankCode.BAD_XML),
        "with a tag that is not closed": (good.replace(msg_id, b"<X>" + msg_id, 1), BankCode.BAD_XML),
        "with an attribute twice": (good.replace(b"<Document ", b'<Document a="1" a="2" ', 1), BankCode.BAD_XML),
        "of another version": (good.replace(b"001.", b"002.", 1), BankCode.NOT_VALID),
        "of an older version": (good.replace(b".08", b".02", 1).replace(b".09", b".02", 1).replace(b".10", b".03", 1), BankCode.NOT_VALID),
        "without a name space": (good.replace(b" xmlns=", b" notns=", 1), BankCode.NOT_VALID),
        "of an unknown name space": (good.replace(b"urn:iso:std", b"urn:iso:stt", 1), BankCode.NOT_VALID),
        "whose element is of another name space": (
            good.replace(b"<GrpHdr>", b'<GrpHdr xmlns="urn:x">', 1).replace(b"<Assgnmt>", b'<Assgnmt xmlns="urn:x">', 1), BankCode.NOT_VALID,
        ),
        "whose document is empty": (declaration + body.split(b"<" + root, 1)[0] + b"</Document>", BankCode.NOT_VALID),
        "with an element that there is not": (good.replace(msg_id, b"<More/>" + msg_id, 1), BankCode.NOT_VALID),
        "with an attribute that there is not": (good.replace(b"<" + root, b'<%s more="1"' % root, 1), BankCode.NOT_VALID),
        "with a text between its elements": (good.replace(msg_id, b"and" + msg_id, 1), BankCode.NOT_VALID),
        "with a moment of no calendar": (good.replace(b"2026-03-0", b"2026-02-3", 1), BankCode.NOT_VALID),
        "without its moment": (good.replace(b"CreDtTm", b"CreDtTn"), BankCode.NOT_VALID),
        "with an id of 36 characters": (
            good.replace(b"<MsgId>", b"<MsgId>" + b"x" * 34, 1).replace(b"<Assgnmt><Id>", b"<Assgnmt><Id>" + b"x" * 34, 1), BankCode.NOT_VALID,
        ),
        "with an empty id": (re.sub(rb"<(MsgId|Assgnmt><Id)>[^<]+<", rb"<\1><", good, count=1), BankCode.NOT_VALID),
    }  # fmt: skip


NOT_MESSAGES: Final[Broken] = {
    "nothing at all": (b"", BankCode.BAD_XML),
    "a line end": (b"\n", BankCode.BAD_XML),
    "JSON": (b'{"GrpHdr": {}}', BankCode.BAD_XML),
    "a table": (b"line_no,bank_txn_id\r\n1,t1\r\n", BankCode.BAD_XML),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), BankCode.BAD_XML),
    "a zip file": (b"PK\x03\x04" + bytes(100), BankCode.BAD_XML),
    "a page of the web": (b"<html><body>503</body></html>", BankCode.NOT_VALID),
    "a payment file": (GOOD["statement"].replace(b"camt.053.001.08", b"pain.001.001.09"), BankCode.NOT_VALID),
    "an intraday report": (GOOD["statement"].replace(b"camt.053.001.08", b"camt.052.001.08"), BankCode.NOT_VALID),
    "a notification under the name of a statement": (GOOD["notification"].replace(b"camt.054", b"camt.053"), BankCode.NOT_VALID),
    "an SQL text": (b"select 1; drop table party", BankCode.BAD_XML),
    "an XML that includes another": (
        b'<Document xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/hostname" parse="text"/></Document>', BankCode.NOT_VALID,
    ),
    "a text of two million characters": (edited("statement", b"<Id>S-7</Id>", b"<Id>" + b"x" * 2_000_000 + b"</Id>"), BankCode.NOT_VALID),
    "a text longer than a parser takes": (edited("statement", b"<Id>S-7</Id>", b"<Id>" + b"x" * 10_500_000 + b"</Id>"), BankCode.BAD_XML),
    "a file larger than a message may be": (GOOD["statement"] + b" " * 50_000_000, BankCode.BAD_XML),
}  # fmt: skip

TWO: Final = transaction("-5.00", end_to_end="P-1") + transaction("-7.50", end_to_end="P-2")


def _with(details: str, figure: str = "-12.50") -> bytes:
    return statement(Movement(figure, details=details), closing="987.50")


SUMS: Final[Broken] = {
    "a closing balance one cent too high": (statement(PAID, closing="987.51"), BankCode.WRONG_BALANCE),
    "a closing balance one cent too low": (statement(PAID, closing="987.49"), BankCode.WRONG_BALANCE),
    "an opening balance that is another": (statement(PAID, opening="1000.01", closing="987.50"), BankCode.WRONG_BALANCE),
    "a closing balance with the other sign": (statement(PAID, closing="-987.50"), BankCode.WRONG_BALANCE),
    "an entry left out": (statement(closing="987.50"), BankCode.WRONG_BALANCE),
    "an entry too many": (statement(PAID, Movement("1.00", "B-2"), closing="987.50"), BankCode.WRONG_BALANCE),
    "an entry that goes the other way": (statement(Movement("12.50"), closing="987.50"), BankCode.WRONG_BALANCE),
    "a pending entry that was counted": (statement(Movement("-12.50", status="PDNG"), closing="987.50"), BankCode.WRONG_BALANCE),
    "no opening balance": (statement(PAID, balances=balance("CLBD", "987.50")), BankCode.WRONG_BALANCE),
    "no closing balance": (statement(PAID, balances=balance("OPBD", "1000.00")), BankCode.WRONG_BALANCE),
    "two closing balances that differ": (
        statement(PAID, balances=balance("OPBD", "1000.00") + balance("CLBD", "987.50") + balance("CLBD", "987.51")), BankCode.WRONG_BALANCE,
    ),
    "a closing balance of yesterday that differs": (
        statement(PAID, balances=balance("OPBD", "1000.00") + balance("PRCD", "999.00") + balance("CLBD", "987.50")), BankCode.WRONG_BALANCE,
    ),
    "no balance at all": (statement(PAID, balances=""), BankCode.NOT_VALID),
    "a balance of an unknown kind alone": (statement(PAID, balances=balance("XPCD", "987.50")), BankCode.WRONG_BALANCE),
    "a balance in another currency": (statement(PAID, balances=balance("OPBD", "1000.00", "USD") + balance("CLBD", "987.50")), BankCode.WRONG_CURRENCY),
    "a batch that adds up to less": (_with(transaction("-5.00") + transaction("-7.49", end_to_end="P-2")), BankCode.WRONG_SUM),
    "a batch that adds up to more": (_with(transaction("-5.00") + transaction("-7.51", end_to_end="P-2")), BankCode.WRONG_SUM),
    "a batch with one that goes the other way": (_with(transaction("-5.00") + transaction("7.50", end_to_end="P-2")), BankCode.WRONG_SUM),
    "a batch with a transaction without an amount": (_with(transaction("-12.50") + transaction(end_to_end="P-2")), BankCode.WRONG_SUM),
    "a batch in two currencies": (_with(transaction("-5.00") + transaction("-7.50", end_to_end="P-2", currency="USD")), BankCode.WRONG_CURRENCY),
    "a batch that counts one more": (_with(f"<Btch><NbOfTxs>3</NbOfTxs></Btch>{TWO}"), BankCode.WRONG_SUM),
    "a batch that counts one less": (_with(f"<Btch><NbOfTxs>1</NbOfTxs></Btch>{TWO}"), BankCode.WRONG_SUM),
    "a batch with another total": (_with(f'<Btch><TtlAmt Ccy="EUR">12.51</TtlAmt></Btch>{TWO}'), BankCode.WRONG_SUM),
    "a batch with a total in another currency": (_with(f'<Btch><TtlAmt Ccy="USD">12.50</TtlAmt></Btch>{TWO}'), BankCode.WRONG_SUM),
    "a transaction that differs from its entry": (_with(transaction("-12.51")), BankCode.WRONG_SUM),
    "a transaction that goes another way than its entry": (_with(transaction("12.50")), BankCode.WRONG_SUM),
    "a summary that counts one more": (
        statement(PAID, closing="987.50", summary="<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>"), BankCode.WRONG_SUM,
    ),
    "a summary with another sum": (
        statement(PAID, closing="987.50", summary="<TxsSummry><TtlNtries><Sum>12.51</Sum></TtlNtries></TxsSummry>"), BankCode.WRONG_SUM,
    ),
    "a summary with another number of credits": (
        statement(PAID, closing="987.50", summary="<TxsSummry><TtlCdtNtries><NbOfNtries>1</NbOfNtries></TtlCdtNtries></TxsSummry>"), BankCode.WRONG_SUM,
    ),
    "a summary with another sum of debits": (
        statement(PAID, closing="987.50", summary="<TxsSummry><TtlDbtNtries><Sum>0</Sum></TtlDbtNtries></TxsSummry>"), BankCode.WRONG_SUM,
    ),
    "a notification whose summary counts one more": (
        notification(PAID, summary="<TxsSummry><TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries></TxsSummry>"), BankCode.WRONG_SUM,
    ),
    "a return that counts one more": (payment_return(returned(), count=2), BankCode.WRONG_SUM),
    "a return with another control sum": (payment_return(returned(), control="12.51"), BankCode.WRONG_SUM),
    "a return with another total": (payment_return(returned(), total="12.51", control="12.50"), BankCode.WRONG_SUM),
    "a return with a total in another currency": (payment_return(returned(), currency="USD"), BankCode.WRONG_SUM),
    "a return in two currencies with one total": (payment_return(returned(), returned("P-2", "1.00", "USD"), total="13.50"), BankCode.WRONG_SUM),
    "a return of nothing": (payment_return(count=0, total="0"), BankCode.NOT_VALID),
}  # fmt: skip

AMOUNTS: Final[Broken] = {
    "an amount below zero": (edited("statement", b'<Ntry><Amt Ccy="EUR">12.50', b'<Ntry><Amt Ccy="EUR">-12.50'), BankCode.NOT_VALID),
    "a balance below zero": (edited("statement", b">1000.00<", b">-1000.00<"), BankCode.NOT_VALID),
    "an amount with three decimals": (statement(Movement("-12.501"), closing="987.499"), BankCode.BAD_AMOUNT),
    "an amount with six decimals": (edited("statement", b'<Ntry><Amt Ccy="EUR">12.50', b'<Ntry><Amt Ccy="EUR">12.500001'), BankCode.NOT_VALID),
    "yen with decimals": (statement(Movement("1.50"), opening="0", closing="1.50", currency="JPY"), BankCode.BAD_AMOUNT),
    "dinars with four decimals": (statement(Movement("1.2345"), opening="0", closing="1.2345", currency="KWD"), BankCode.BAD_AMOUNT),
    "an amount of nineteen digits": (edited("statement", b'<Ntry><Amt Ccy="EUR">12.50', b'<Ntry><Amt Ccy="EUR">1234567890123456789'), BankCode.NOT_VALID),
    "an amount larger than any may be": (statement(Movement("99999999999999.00"), opening="0", closing="99999999999999.00"), BankCode.BAD_AMOUNT),
    "an amount in words": (edited("statement", b'<Ntry><Amt Ccy="EUR">12.50', b'<Ntry><Amt Ccy="EUR">much'), BankCode.NOT_VALID),
    "an amount with a comma": (edited("statement", b'<Ntry><Amt Ccy="EUR">12.50', b'<Ntry><Amt Ccy="EUR">12,50'), BankCode.NOT_VALID),
    "an amount with an exponent": (edited("statement", b'<Ntry><Amt Ccy="EUR">12.50', b'<Ntry><Amt Ccy="EUR">1e2'), BankCode.NOT_VALID),
    "an amount that is no number": (edited("statement", b'<Ntry><Amt Ccy="EUR">12.50', b'<Ntry><Amt Ccy="EUR">NaN'), BankCode.NOT_VALID),
    "an amount without end": (edited("statement", b'<Ntry><Amt Ccy="EUR">12.50', b'<Ntry><Amt Ccy="EUR">INF'), BankCode.NOT_VALID),
    "an amount in other digits": (
        edited("statement", b'<Ntry><Amt Ccy="EUR">12.50', '<Ntry><Amt Ccy="EUR">\u0661\u0662.50'.encode()), BankCode.NOT_VALID,
    ),
    "an amount that is a formula": (edited("statement", b'<Ntry><Amt Ccy="EUR">12.50', b'<Ntry><Amt Ccy="EUR">=1+1'), BankCode.NOT_VALID),
    "an amount without a currency": (edited("statement", b'<Ntry><Amt Ccy="EUR">', b"<Ntry><Amt>"), BankCode.NOT_VALID),
    "a currency of two letters": (edited("statement", b'<Ntry><Amt Ccy="EUR">', b'<Ntry><Amt Ccy="EU">'), BankCode.NOT_VALID),
    "a currency in small letters": (edited("statement", b'<Ntry><Amt Ccy="EUR">', b'<Ntry><Amt Ccy="eur">'), BankCode.NOT_VALID),
    "a currency of no country": (statement(currency="XXQ"), BankCode.WRONG_CURRENCY),
    "an entry in an unknown currency": (edited("statement", b'<Ntry><Amt Ccy="EUR">', b'<Ntry><Amt Ccy="XXQ">'), BankCode.BAD_AMOUNT),
    "an entry in another currency": (edited("statement", b'<Ntry><Amt Ccy="EUR">', b'<Ntry><Amt Ccy="USD">'), BankCode.WRONG_CURRENCY),
    "an entry in another currency in a notification": (edited("notification", b'<Ntry><Amt Ccy="EUR">', b'<Ntry><Amt Ccy="USD">'), BankCode.WRONG_CURRENCY),
    "a returned amount below zero": (payment_return(returned(figure="-12.50"), total="12.50"), BankCode.NOT_VALID),
    "a returned amount with three decimals": (payment_return(returned(figure="12.501"), total="12.501"), BankCode.BAD_AMOUNT),
    "a returned amount in no currency": (payment_return(returned(currency="XXQ"), currency="XXQ"), BankCode.BAD_AMOUNT),
    "a control sum below zero": (payment_return(returned(), control="-12.50"), BankCode.NOT_VALID),
}  # fmt: skip

IDS: Final[Broken] = {
    "an account with wrong check digits": (statement(iban="DE88370400440532013000"), BankCode.BAD_IBAN),
    "an account with wrong check digits in a notification": (notification(iban="DE88370400440532013000"), BankCode.BAD_IBAN),
    "an account that is no IBAN": (edited("statement", b"<IBAN>DE89370400440532013000</IBAN>", b"<Othr><Id>1234</Id></Othr>"), BankCode.BAD_IBAN),
    "an account with spaces": (statement(iban="DE89 3704 0044 0532 0130 00"), BankCode.NOT_VALID),
    "an account of 35 characters": (statement(iban="DE89" + "1" * 31), BankCode.NOT_VALID),
    "another's account": (statement(PAID, closing="987.50", iban=THEIRS), BankCode.WRONG_ACCOUNT),
    "a notification about another's account": (notification(PAID, iban=THEIRS), BankCode.WRONG_ACCOUNT),
    "a statement twice": (statement(PAID, closing="987.50", twice=True), BankCode.REPEATED_ID),
    "an entry's reference twice": (statement(PAID, Movement("-1.00"), closing="986.50"), BankCode.REPEATED_ID),
    "an entry's reference twice in a notification": (notification(PAID, Movement("-1.00")), BankCode.REPEATED_ID),
    "a batch's reference that another entry has": (
        statement(Movement("-12.50", details=TWO), Movement("-1.00", "B-1/1"), closing="986.50"), BankCode.REPEATED_ID,
    ),
    "a payment twice in a status report": (status_report(status_line("P-1", "ACCP"), status_line("P-1", "RJCT", "AC04")), BankCode.REPEATED_ID),
    "a payment that comes back twice": (payment_return(returned(), returned(), total="25.00"), BankCode.REPEATED_ID),
    "a recalled payment twice": (recall_answer(recall_line(), recall_line(status="RJCR")), BankCode.REPEATED_ID),
    "a page of several": (statement(PAID, closing="987.50", pages="<StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn>"), BankCode.INCOMPLETE),
    "the last page of several": (
        statement(PAID, closing="987.50", pages="<StmtPgntn><PgNb>2</PgNb><LastPgInd>true</LastPgInd></StmtPgntn>"), BankCode.INCOMPLETE,
    ),
    "a number of the statement that is none": (statement(PAID, closing="987.50", sequence="seven"), BankCode.NOT_VALID),
    "a number of the statement below zero": (statement(PAID, closing="987.50", sequence="-7"), BankCode.NOT_VALID),
    "a number of the statement out of bounds": (statement(PAID, closing="987.50", sequence="9" * 15), BankCode.NOT_VALID),
    "a number of the statement with decimals": (statement(PAID, closing="987.50", sequence="7.5"), BankCode.NOT_VALID),
    "a UETR that is none": (edited("statement", b"</EndToEndId>", b"</EndToEndId><UETR>1</UETR>"), BankCode.NOT_VALID),
    "a UETR of another version": (
        edited("statement", b"</EndToEndId>", b"</EndToEndId><UETR>8a562c67-ca16-18ba-b074-65581be6f001</UETR>"), BankCode.NOT_VALID,
    ),
    "an end-to-end id of 36 characters": (edited("statement", b"<EndToEndId>", b"<EndToEndId>" + b"x" * 33), BankCode.NOT_VALID),
    "a remittance of 141 characters": (edited("statement", b"<Ustrd>", b"<Ustrd>" + b"x" * 136), BankCode.NOT_VALID),
}  # fmt: skip

STATES: Final[Broken] = {
    "an entry with a status of no list": (statement(Movement("-12.50", status="DONE"), closing="987.50"), BankCode.NOT_VALID),
    "an entry with the bank's own status": (edited("statement", b"<Cd>BOOK</Cd>", b"<Prtry>BOOK</Prtry>"), BankCode.NOT_VALID),
    "a booked entry without its day": (edited("statement", b"<BookgDt><Dt>2026-03-03</Dt></BookgDt>", b""), BankCode.NOT_VALID),
    "an entry without a side": (edited("statement", b"<CdtDbtInd>DBIT</CdtDbtInd>", b""), BankCode.NOT_VALID),
    "an entry with an unknown side": (edited("statement", b"<CdtDbtInd>DBIT", b"<CdtDbtInd>BOTH"), BankCode.NOT_VALID),
    "a reversal that is neither true nor false": (statement(Movement("-12.50", more="<RvslInd>maybe</RvslInd>"), closing="987.50"), BankCode.NOT_VALID),
    "an entry without a status": (edited("statement", b"<Sts><Cd>BOOK</Cd></Sts>", b""), BankCode.NOT_VALID),
    "a booking day of no calendar": (edited("statement", b"<BookgDt><Dt>2026-03-03", b"<BookgDt><Dt>2026-02-30"), BankCode.NOT_VALID),
    "a booking day in words": (edited("statement", b"<BookgDt><Dt>2026-03-03", b"<BookgDt><Dt>today"), BankCode.NOT_VALID),
    "a day of the year 12026": (edited("statement", b"<BookgDt><Dt>2026-03-03", b"<BookgDt><Dt>12026-03-03"), BankCode.NOT_VALID),
    "a statement that ends before it begins": (edited("statement", b"<ToDtTm>2026-03-03", b"<ToDtTm>2026-03-02"), BankCode.NOT_VALID),
    "a payment with a status of no list": (status_report(status_line("P-1", "FINE")), BankCode.NOT_VALID),
    "a payment without a status": (status_report("<TxInfAndSts><OrgnlEndToEndId>P-1</OrgnlEndToEndId></TxInfAndSts>"), BankCode.NOT_VALID),
    "a status without a payment": (status_report("<TxInfAndSts><TxSts>ACCP</TxSts></TxInfAndSts>"), BankCode.NOT_VALID),
    "a file with a status of no list": (status_report(status_line("P-1", "ACCP"), group="GOOD"), BankCode.NOT_VALID),
    "a block with a status of no list": (status_report(batch="<PmtInfSts>GOOD</PmtInfSts>"), BankCode.NOT_VALID),
    "a report that says nothing": (status_report(group=""), BankCode.NOT_VALID),
    "a report about no file": (status_report(status_line("P-1", "ACCP"), original=""), BankCode.NOT_VALID),
    "a reason of five letters": (status_report(status_line("P-1", "RJCT", "AC041")), BankCode.NOT_VALID),
    "a reason's text of 106 characters": (status_report(status_line("P-1", "RJCT", "AC04", "x" * 106)), BankCode.NOT_VALID),
    "an answer to no payment": (recall_answer(), BankCode.NOT_VALID),
    "an answer of no list": (recall_answer(recall_line(status="SURE")), BankCode.NOT_VALID),
    "an answer with a result of five letters": (recall_answer(recall_line(), overall="CNCLD"), BankCode.NOT_VALID),
    "a return of no payment": (edited("return", b"<OrgnlEndToEndId>P-1</OrgnlEndToEndId>", b""), BankCode.NOT_VALID),
    "a return without an amount": (edited("return", b'<RtrdIntrBkSttlmAmt Ccy="EUR">12.50</RtrdIntrBkSttlmAmt>', b""), BankCode.NOT_VALID),
    "a return with a day of no calendar": (edited("return", b"<IntrBkSttlmDt>2026-03-06", b"<IntrBkSttlmDt>2026-03-36"), BankCode.NOT_VALID),
}  # fmt: skip


def _card(kind: str, old: bytes, new: str) -> tuple[bytes, BankCode]:
    return edited(kind, old, new.encode()), BankCode.CARD_DATA


PARTY: Final = "<RltdPties><Dbtr><Pty><Nm>{}</Nm></Pty></Dbtr></RltdPties>"
REMITTANCE: Final = b"<RmtInf><Ustrd>March</Ustrd></RmtInf>"
CARDS_IN_TEXTS: Final[Broken] = {
    "for the remittance": _card("statement", b"<Ustrd>March", f"<Ustrd>{CARD}"),
    "among words of the remittance": _card("statement", b"<Ustrd>March", f"<Ustrd>card {CARD} of May"),
    "in blocks": _card("statement", b"<Ustrd>March", "<Ustrd>4111 1111 1111 1111"),
    "with dashes": _card("statement", b"<Ustrd>March", "<Ustrd>4111-1111-1111-1111"),
    "of another brand": _card("statement", b"<Ustrd>March", "<Ustrd>378282246310005"),
    "in a notification": _card("notification", b"<Ustrd>March", f"<Ustrd>{CARD}"),
    "for the payer's name": _card("statement", REMITTANCE, PARTY.format(CARD)),
    "for the structured reference": _card("statement", REMITTANCE, f"<RmtInf><Strd><CdtrRefInf><Ref>{CARD}</Ref></CdtrRefInf></Strd></RmtInf>"),
    "for the document": _card("statement", REMITTANCE, f"<RmtInf><Strd><RfrdDocInf><Nb>{CARD}</Nb></RfrdDocInf></Strd></RmtInf>"),
    "for the text of a remittance": _card("statement", REMITTANCE, f"<RmtInf><Strd><AddtlRmtInf>{CARD}</AddtlRmtInf></Strd></RmtInf>"),
    "for the text of the transaction": _card("statement", REMITTANCE, f"<AddtlTxInf>{CARD}</AddtlTxInf>"),
    "for the text of the entry": _card("statement", b"</NtryDtls>", f"</NtryDtls><AddtlNtryInf>{CARD}</AddtlNtryInf>"),
    "for the text of the statement": _card("statement", b"</Stmt>", f"<AddtlStmtInf>{CARD}</AddtlStmtInf></Stmt>"),
    "for the text of the notification": _card("notification", b"</Ntfctn>", f"<AddtlNtfctnInf>{CARD}</AddtlNtfctnInf></Ntfctn>"),
    "for the text of the header": _card("statement", b"</GrpHdr>", f"<AddtlInf>{CARD}</AddtlInf></GrpHdr>"),
    "for the owner's name": _card("statement", b"<Ccy>EUR</Ccy></Acct>", f"<Ccy>EUR</Ccy><Ownr><Nm>{CARD}</Nm></Ownr></Acct>"),
    "for the account's name": _card("statement", b"<Ccy>EUR</Ccy></Acct>", f"<Ccy>EUR</Ccy><Nm>{CARD}</Nm></Acct>"),
    "for an address": _card("statement", REMITTANCE, f"<RltdPties><Dbtr><Pty><Nm>A</Nm><PstlAdr><AdrLine>{CARD}</AdrLine></PstlAdr></Pty></Dbtr></RltdPties>"),
    "split over two lines": _card("statement", b"<Ustrd>March", "<Ustrd>card 4111 1111</Ustrd><Ustrd>1111 1111 thanks"),
    "split in a block over two lines": _card("statement", b"<Ustrd>March", "<Ustrd>411111111</Ustrd><Ustrd>1111111"),
    "split over two lines with spaces at their ends": _card("statement", b"<Ustrd>March", "<Ustrd>4111 1111  </Ustrd><Ustrd>  1111 1111"),
    "split over two lines of the entry with an empty one between": _card(
        "statement", b"<Ustrd>March", "<Ustrd>4111 1111 </Ustrd><Ustrd> </Ustrd><Ustrd>\t1111 1111"
    ),
    "with wide gaps": _card("statement", b"<Ustrd>March", "<Ustrd>4111     1111     1111     1111"),
    "with dots": _card("statement", b"<Ustrd>March", "<Ustrd>4111.1111.1111.1111"),
}
"""Statements and notifications with a card number in a text: taken, with all but its last four digits struck out."""
CARDS: Final[Broken] = {
    "as the entry's card": _card(
        "statement", b"<NtryDtls>", f"<CardTx><Card><PlainCardData><PAN>{CARD}</PAN><XpryDt>2030-01</XpryDt></PlainCardData></Card></CardTx><NtryDtls>"
    ),
    "as a card transaction without its number": _card("statement", b"<NtryDtls>", "<CardTx><AggtdNtry/></CardTx><NtryDtls>"),
    "for the text of a reason": _card("status report", b"<AddtlInf>closed", f"<AddtlInf>{CARD}"),
    "in what we do not read of a status report": _card(
        "status report", b"<TxSts>ACCP</TxSts>", f"<TxSts>ACCP</TxSts><OrgnlTxRef><Cdtr><Nm>{CARD}</Nm></Cdtr></OrgnlTxRef>"
    ),
    "in an attribute that we do not read": _card("status report", b"<TxSts>ACCP</TxSts>", f'<TxSts>ACCP</TxSts><OrgnlTxRef card="{CARD}"/>'),
    "in an element's name that we do not read": _card("status report", b"<TxSts>ACCP</TxSts>", f"<TxSts>ACCP</TxSts><OrgnlTxRef><c{CARD}/></OrgnlTxRef>"),
    "for the text of a return": _card("return", b"<AddtlInf>account closed", f"<AddtlInf>{CARD}"),
    "for the text of an answer": (recall_answer(recall_line(status="RJCR", reason="LEGL")).replace(b"no funds", CARD.encode()), BankCode.CARD_DATA),
    "in an error of the XSD": (edited("statement", b"<BookgDt><Dt>2026-03-03", f"<BookgDt><Dt>{CARD}".encode()), BankCode.NOT_VALID),
    "in an error of the parser": (edited("statement", b"<NtryDtls>", f"<c{CARD}>".encode()), BankCode.BAD_XML),
    "in a name space that nothing is of": _card("statement", b"<NtryDtls>", f'<NtryDtls xmlns:p="urn:{CARD}">'),
    "in the prefix of a name space": _card("statement", b"<NtryDtls>", f'<NtryDtls xmlns:p{CARD}="urn:p">'),
    "in the prefix of the message's own": (
        GOOD["statement"].replace(b"</", b"</p4111111111111111:").replace(b"<", b"<p4111111111111111:").replace(b"<p4111111111111111:/", b"</")
        .replace(b"<p4111111111111111:?", b"<?").replace(b"xmlns=", b"xmlns:p4111111111111111="), BankCode.CARD_DATA),
    "for the name space": (edited("statement", b"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08", CARD.encode()), BankCode.NOT_VALID),
}  # fmt: skip


def all_broken() -> Broken:
    """Every broken message, by a name that says what is wrong with it."""
    found = {f"{kind} {what}": one for kind in GOOD for what, one in _bytes_of(kind).items()}
    for title, group in (("", NOT_MESSAGES), ("", SUMS), ("", AMOUNTS), ("", IDS), ("", STATES), ("a card number ", CARDS)):
        found |= {f"{title}{what}": one for what, one in group.items()}
    return found
