"""What people decided about what the bank says, recomputed: each word is its person's, about what the row says, and two said it where two are needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import psycopg
from psycopg.rows import class_row

from clearing.payment_states import Verdict
from clearing.people import same_person
from services.report.verify import Proof
from services.settlement.concerned import Concerned
from services.settlement.deciding import Account, BankDecision, Credit
from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.keys import holds
from services.settlement.runs import SignedRun
from services.settlement.withdrawing import RESTORED, WITHDRAWN

# Words, with the keys that signed them, the run of the payment that they are about, and the sum of the entry. Of what is concerned also those that would use
# the same debit or the same funds a second time; all words where nothing is said to be concerned.
SIGNED: Final = """
with asked as (
  select no, given_back, party, reference from bank_decision where %(every)s or end_to_end_id = any(%(payments)s) or report = any(%(reports)s)
    or begins = any(%(reports)s) or entry = any(%(entries)s) or given_back = any(%(entries)s)
    or (party, reference) in (select * from unnest(%(parties)s::text[], %(references)s::text[]))
), concerned as (
  select no from bank_decision where %(every)s or no in (select no from asked) or given_back in (select given_back from asked)
    or (party, reference) in (select party, reference from asked)
)
select d.no, d.end_to_end_id, d.report, d.entry, d.verdict, d.begins, d.known, d.party, d.reference, d.given_back, d.charge, d.undoes, d.payee_iban, d.decides,
  d.reason, d.person, d.at, d.document, d.signature, k.public_key, r.after_bank_decision, a.run,
  coalesce(e.amount, p.amount) amount_minor, coalesce(e.currency, p.currency) currency, p.payee,
  case d.verdict when 'funds' then (f.amount, f.currency) is not distinct from (e.amount, e.currency)
    when 'given back' then (g.amount, g.currency, g.credit) is not distinct from (e.amount, e.currency, false) when 'borne' then
      case when d.charge is null then not e.credit else exists (select from payment_attempt t where t.end_to_end_id = e.end_to_end_id) end
    when 'undone' then not d.decides or o.reference is null or taken.back else true end borne_out
from bank_decision d left join person_key k on k.no = d.key and k.person = d.person left join key_revocation r on r.key = d.key
left join payment_attempt a on a.end_to_end_id = d.end_to_end_id left join bank_entry e on e.no = d.entry
left join payment p on p.run = a.run and p.id = a.payment
left join funding f on f.party = d.party and f.reference = d.reference and f.kind = 'paid in' left join bank_entry g on g.no = d.given_back
left join bank_decision o on o.no = d.undoes left join lateral (
  select bool_and(exists (select from funding x where x.party = o.party and x.kind = 'paid out' and x.amount = -i.amount and x.currency = i.currency
    and x.reference = 'decision ' || o.no || ' undone: ' || o.reference)) is not false back
  from funding i where i.party = o.party and i.kind = 'paid in' and i.reference = o.reference and i.by_whom = o.person and i.at = o.at
) taken on true
where d.no in (select no from concerned) or d.undoes in (select no from concerned) order by d.no
"""


About = tuple[int, date]
"""Run and window that a proof is listed under."""


@dataclass(frozen=True, slots=True)
class Word:
    """A row of `bank_decision`. `run`: that of the payment it is about; None of statements and entries. `public_key`: None where the person has no such key."""

    no: int
    end_to_end_id: str | None
    report: int | None
    entry: int | None
    verdict: str
    begins: int | None
    known: int
    party: str | None
    reference: str | None
    given_back: int | None
    charge: int | None
    undoes: int | None
    payee_iban: str | None
    decides: bool
    reason: str
    person: str
    at: datetime
    document: str
    signature: bytes
    public_key: bytes | None
    after_bank_decision: int | None
    run: int | None
    amount_minor: int | None
    currency: str | None
    payee: str | None
    borne_out: bool
    """What it says of money is in the books: funds of that sum, or a debit of it."""

    @property
    def says(self) -> tuple[object, ...]:
        """What two people have to say alike."""
        return (
            self.end_to_end_id,
            self.report,
            self.entry,
            self.verdict,
            self.begins,
            self.known,
            self.party,
            self.reference,
            self.given_back,
            self.charge,
            self.undoes,
            self.payee_iban,
        )

    @property
    def name(self) -> str:
        """For people: who said what about what."""
        about = self.end_to_end_id or (f"statement {self.report} of the books" if self.entry is None else f"entry {self.entry} of the books")
        return f"decision {self.no}: {about} {self.verdict}, by {self.person}"

    def held_at(self, no: int) -> bool:
        """Whether its key was in force when the word of that number was stored."""
        return self.after_bank_decision is None or no <= self.after_bank_decision

    def signed(self, programme: str) -> BankDecision:
        """What was signed, put together again from the row."""
        credit = None
        if self.entry is not None:
            credit = Credit(self.entry, self.amount_minor or 0, self.currency or "", self.party, self.reference, self.given_back, self.charge)
        account = None if self.payee_iban is None else Account(self.payee or "", self.payee_iban, self.amount_minor or 0, self.currency or "")
        about = (self.end_to_end_id, self.report, self.verdict, self.begins, self.known)
        return BankDecision(programme, *about, self.reason, self.person, self.at, credit, self.undoes, account)


def bank_proofs(connection: psycopg.Connection, runs: Sequence[SignedRun], programme: str) -> Iterator[Proof]:
    """Proofs of every word about payments of these runs; of those about statements and entries, on which all windows rest, one, and each that does not hold."""
    words = _words(connection)
    for run in runs:
        for word in words:
            if word.run == run.no:
                yield from _proofs(word, words, (run.no, run.day), programme)
    newest, others = runs[-1], [word for word in words if word.run is None]
    failed = [proof for word in others for proof in _proofs(word, words, (newest.no, newest.day), programme) if not proof.holds]
    yield from failed
    what = f"{len(others)} decisions about statements and entries of the bank are signed as they say"
    if others:
        yield Proof(newest.no, newest.day, what, not failed, f"{len(failed)} things about them do not hold")


def require_decisions(connection: psycopg.Connection, programme: str, concerned: Concerned) -> None:
    """Trusts no row: whoever can write to the tables can write that two people said so. Asks of what is concerned only; `bank_proofs` asks of everything.

    Raises `SettlementError`: bad-signature.
    """
    failed = decision_proofs(connection, programme, concerned)
    if failed:
        what = "; ".join(f"{one.what}: {one.differs}" for one in failed[:3])
        raise SettlementError(SettlementCode.BAD_SIGNATURE, f"what people have decided about the bank is not as its rows say: {what}: clh settlement verify")


def decision_proofs(connection: psycopg.Connection, programme: str, concerned: Concerned) -> list[Proof]:
    """What does not hold of the words about what is concerned."""
    words = _words(connection, concerned)
    return [proof for word in words for proof in _proofs(word, words, (word.run or 0, word.at.date()), programme) if not proof.holds]


def _words(connection: psycopg.Connection, concerned: Concerned | None = None) -> list[Word]:
    about = concerned or Concerned()
    asked = {
        "every": concerned is None, "payments": about.payments, "reports": about.reports, "entries": about.entries,
        "parties": [party for party, _ in about.funds], "references": [reference for _, reference in about.funds],
    }  # fmt: skip
    return connection.cursor(row_factory=class_row(Word)).execute(SIGNED, asked).fetchall()


def _proofs(word: Word, words: Sequence[Word], about: About, programme: str) -> Iterator[Proof]:
    said = word.signed(programme)
    yield Proof(*about, f"{word.name}, of what the books hold", word.document == said.document(), f"signed {word.document}")
    made = word.public_key is not None and holds(word.public_key, said.signed(), bytes(word.signature))
    yield Proof(*about, f"{word.name}, with the person's key", made, "the signature is not of these words, or not by this key")
    yield Proof(*about, f"{word.name}, while the key was in force", word.held_at(word.no), "the key had been revoked before")
    alone = word.verdict == Verdict.PAID
    if word.decides:
        second = alone or any(_agree(one, word, words) for one in words if one.no < word.no)
        yield Proof(*about, f"{word.name}, after another person had said the same", second, "nobody else had said so")
        if word.report is not None:
            before = _decided_before(word, words)
            in_turn = (word.verdict == RESTORED) == (before is not None and before.verdict == WITHDRAWN)
            anew = not any(one.signature == word.signature for one in words if one.no < word.no)
            yield Proof(*about, f"{word.name}, which it was not before", in_turn and anew, "it was so before, or the signature is an earlier one's")
        if word.undoes is not None:
            of = next((one for one in words if one.no == word.undoes), None)
            stood = of is not None and of.decides and of.no < word.no and (of.end_to_end_id, of.entry) == (word.end_to_end_id, word.entry)
            once = not any(one.undoes == word.undoes and one.decides and one.no != word.no for one in words)
            yield Proof(*about, f"{word.name}, which had been decided", stood and once, "no such decision stood, or it was undone before")
        yield from _of_money(word, words, about)
    elif alone:
        yield Proof(*about, f"{word.name}, which one person decides", holds=False, differs="the books say that it does not hold")


def _of_money(word: Word, words: Sequence[Word], about: About) -> Iterator[Proof]:
    """Of money that names no payment one thing is decided, once, and that is in the books."""
    if word.entry is None:
        return
    yield Proof(*about, f"{word.name}, as the books bear it out", word.borne_out, "no funds or debit of this sum are in the books, or funds are left there")
    if word.undoes is not None:
        return
    undone = {one.undoes for one in words if one.decides}
    others = [one for one in words if one.decides and one.no != word.no and one.no not in undone and one.undoes is None] if word.no not in undone else []
    once = not any(
        one.entry == word.entry
        or (word.given_back is not None and one.given_back == word.given_back)
        or (word.party is not None and (one.party, one.reference) == (word.party, word.reference))
        for one in others
    )
    yield Proof(*about, f"{word.name}, and nothing else was decided of it", once, "another decision is about the same money")


def _agree(first: Word, second: Word, words: Sequence[Word]) -> bool:
    """Whether the first, another person with another key that was in force, had said the same, and had not been overtaken."""
    two = not same_person(first.person, second.person) and first.public_key != second.public_key
    before = _decided_before(second, words)
    if before is not None and first.no <= before.no:
        return False
    return two and first.says == second.says and first.held_at(second.no) and not any(_overtakes(later, first) for later in words if later.no < second.no)


def _decided_before(word: Word, words: Sequence[Word]) -> Word | None:
    """What was decided last about the same statement, or last undone about the same payment or entry: what people had said until then is done with."""

    def ends(one: Word) -> bool:
        if word.report is not None:
            return one.report == word.report
        return one.undoes is not None and (one.end_to_end_id, one.entry) == (word.end_to_end_id, word.entry)

    return next((one for one in reversed(words) if one.decides and one.no < word.no and ends(one)), None)


def _overtakes(later: Word, first: Word) -> bool:
    """A payment: anybody has said otherwise since. An entry: the same person has."""
    if later.no < first.no or later.says == first.says:
        return False
    if first.end_to_end_id is not None:
        return later.end_to_end_id == first.end_to_end_id and later.verdict != first.verdict
    return first.entry is not None and later.entry == first.entry and later.person == first.person
