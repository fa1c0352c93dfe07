"""Of a run's payments: the files hold what was approved and nothing else, and a settled window is on the bank's own statements, read again from their bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import psycopg

from clearing.payment_states import PaymentKind
from schemas.bank_messages import Statement
from schemas.canonical import sha256_hex
from schemas.money import to_minor
from services.bank.errors import BankCode, BankError
from services.bank.messages import read_message
from services.bank.references import creditor_reference
from services.bank.xml import PAIN_001, read_xml
from services.report.verify import Proof
from services.settlement.noted_files import NotedFile, files_of
from services.settlement.payment_states import Standing, states_of
from services.settlement.payments import payments_of
from services.settlement.readdressing import account_after, signed_accounts
from services.settlement.runs import SignedRun
from services.settlement.taking import reference_of

# The messages with the statements that count and show any of a run's payments, as the bank sent them, and which of their statements count.
MESSAGES = """
select b.content, array_agg(distinct r.id) from bank_message b join bank_report r on r.message = b.no join statement_counts c on c.report = r.no
where exists (select from entry_payment m where m.report = r.no and m.run = %s) group by b.no, b.content order by b.no
"""


# Entries of which people have said what became of them: they count for no payment; or, what the bank kept of one that came back: as if it had come back too.
ASSIGNED = """
select r.iban, r.currency, r.id, e.line, d.charge from bank_decided d join bank_entry e on e.no in (d.entry, d.given_back) join bank_report r on r.no = e.report
"""


def payment_proofs(connection: psycopg.Connection, run: SignedRun, *, newest: bool) -> Iterator[Proof]:
    """Proofs of one run; `newest`: its window stands by it."""
    standings = states_of(connection, run.no)
    files = files_of(connection, run.no)
    accounts = _accounts(connection, run, standings)
    for file in files:
        yield _goes_to_what_was_approved(file, accounts, run)
        yield _holds_what_was_approved(file, standings, run)
    if newest and run.state in ("instructed", "settled"):
        missing = [one.id for one in standings if one.kind is PaymentKind.OUTGOING and not one.attempts]
        yield Proof(run.no, run.day, "all that the operator pays is in a file", not missing, f"{len(missing)} are in none: {', '.join(missing[:3])}")
    if newest and run.state == "settled":
        yield from _on_statements(connection, standings, run)


def require_file(connection: psycopg.Connection, run: SignedRun, file: NotedFile) -> None:
    """Trusts no bytes that lay in the books: whoever can write to the tables can write a file that pays somebody else.

    Raises `BankError`: file-changed, where they have not the SHA-256 that was noted, or do not hold exactly the payments approved for this file.
    """
    standings = states_of(connection, run.no)
    accounts = _accounts(connection, run, standings)
    failed = [one for one in (_goes_to_what_was_approved(file, accounts, run), _holds_what_was_approved(file, standings, run)) if not one.holds]
    if failed:
        what = "; ".join(f"{one.what}: {one.differs}" for one in failed)
        raise BankError(BankCode.FILE_CHANGED, f"{file.message_id} is not what was noted, and is not handed over: {what}: clh settlement verify {run.day}")


def _holds_what_was_approved(file: NotedFile, standings: list[Standing], run: SignedRun) -> Proof:
    """By the file's own bytes: each payment once, with its amount."""
    what = f"payment file {file.file_no} holds what was approved, and nothing else"
    expected = Counter(
        (attempt.end_to_end_id, one.currency, one.amount_minor) for one in standings for attempt in one.attempts if attempt.message_id == file.message_id
    )
    try:
        root = read_xml(file.content, PAIN_001)
    except BankError as error:
        return Proof(run.no, run.day, what, False, str(error))
    found: Counter[tuple[str, str, int]] = Counter()
    for transfer in root.iter(f"{{{PAIN_001}}}CdtTrfTxInf"):
        name, amount = transfer.find(f".//{{{PAIN_001}}}EndToEndId"), transfer.find(f".//{{{PAIN_001}}}InstdAmt")
        assert name is not None and amount is not None, "the XSD requires both"
        currency = str(amount.get("Ccy"))
        found[str(name.text), currency, to_minor(str(amount.text), currency)] += 1
    same = found == expected and sha256_hex(file.content) == file.sha256
    return Proof(run.no, run.day, what, same, f"it holds {found.total()} payments, {expected.total()} were approved for it; SHA-256 {sha256_hex(file.content)}")


def _accounts(connection: psycopg.Connection, run: SignedRun, standings: list[Standing]) -> dict[str, tuple[str | None, str | None]]:
    """Of each attempt the accounts of payer and payee: as approved with the run, or, where it went out anew, as two people have signed since."""
    kept, signed = {one.id: one for one in payments_of(connection, run.no)}, signed_accounts(connection, run.no)
    return {
        attempt.end_to_end_id: (kept[one.id].payer_iban, account_after(one.attempts[:no], kept[one.id].payee_iban, signed))
        for one in standings
        for no, attempt in enumerate(one.attempts)
    }


def _goes_to_what_was_approved(file: NotedFile, accounts: Mapping[str, tuple[str | None, str | None]], run: SignedRun) -> Proof:
    """By the file's own bytes: each payment from and to the account that was approved; of payments that say none, nothing can be said."""
    what = f"payment file {file.file_no} pays between the accounts that were approved"
    try:
        root = read_xml(file.content, PAIN_001)
    except BankError as error:
        return Proof(run.no, run.day, what, False, str(error))
    wrong = []
    for block in root.iter(f"{{{PAIN_001}}}PmtInf"):
        payer = block.findtext(f"./{{{PAIN_001}}}DbtrAcct//{{{PAIN_001}}}IBAN")
        for transfer in block.iter(f"{{{PAIN_001}}}CdtTrfTxInf"):
            name = str(transfer.findtext(f".//{{{PAIN_001}}}EndToEndId"))
            (ours, theirs), payee = accounts.get(name, (None, None)), transfer.findtext(f"./{{{PAIN_001}}}CdtrAcct//{{{PAIN_001}}}IBAN")
            if theirs is not None and (ours, theirs) != (payer, payee):
                wrong.append(f"{name} from {payer} to {payee}, approved from {ours} to {theirs}")
    return Proof(run.no, run.day, what, not wrong, "; ".join(wrong[:3]))


def _on_statements(connection: psycopg.Connection, standings: list[Standing], run: SignedRun) -> Iterator[Proof]:
    named = {attempt.end_to_end_id: one for one in standings for attempt in one.attempts}
    referred = {creditor_reference(one.id)[4:]: one for one in standings if one.kind is PaymentKind.INCOMING}
    shown: Counter[str] = Counter()
    assigned = {tuple(entry): charge for *entry, charge in connection.execute(ASSIGNED)}
    for content, counted in connection.execute(MESSAGES, (run.no,)):
        message = read_message(bytes(content))
        for statement in message if isinstance(message, tuple) else ():
            if not isinstance(statement, Statement) or statement.id not in counted:
                continue
            for line, entry in enumerate(statement.entries):
                at = (statement.account_iban, statement.currency, statement.id, line)
                borne = assigned.get(at, 0)
                if borne is None:
                    continue
                ours, theirs = named.get(entry.end_to_end_id), referred.get(reference_of(entry) or "")
                if entry.booked and ours is not None and ours.currency == entry.currency:
                    shown[ours.id] -= entry.signed_minor + borne
                elif entry.booked and theirs is not None and theirs.currency == entry.currency:
                    shown[theirs.id] += entry.signed_minor
    differs = [one.id for one in standings if one.kind is not PaymentKind.DIRECT and shown[one.id] != one.confirmed_minor]
    yield Proof(run.no, run.day, "what statements show is what the bank has sent", not differs, f"of {', '.join(differs[:3])} the bank has sent another sum")
    moved = connection.execute("select 1 from window_move where run = %s and event = 'confirmed'", (run.no,)).fetchone()
    short = [one.id for one in standings if one.missing_minor and not _put_right(connection, run.no, one.id)]
    sound = moved is not None and not short
    yield Proof(run.no, run.day, "statements show every payment of the settled window", sound, f"none shows {', '.join(short[:3]) or 'that it was settled'}")


def _put_right(connection: psycopg.Connection, run: int, payment: str) -> bool:
    """What came back after the window was settled is an adjustment."""
    return connection.execute("select 1 from payment_correction where run = %s and payment = %s", (run, payment)).fetchone() is not None
