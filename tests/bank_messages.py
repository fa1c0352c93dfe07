"""Messages of a settlement bank for tests: right unless a test says otherwise. Written as text, so that a mutation can be any edit of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OURS: Final = "DE89370400440532013000"
THEIRS: Final = "NL91ABNA0417164300"
UETR: Final = "8a562c67-ca16-48ba-b074-65581be6f001"
REFERENCE: Final = "RF18539007547034"
CARD: Final = "4111111111111111"
"""A test number that passes Luhn's check; no card has it."""


@dataclass(frozen=True)
class Movement:
    """One `Ntry`: a figure with its sign, a reference, and what else its elements are to hold."""

    figure: str
    reference: str = "B-1"
    details: str = ""
    status: str = "BOOK"
    more: str = ""

    def xml(self, currency: str) -> str:
        """The element."""
        side = "DBIT" if self.figure.startswith("-") else "CRDT"
        named = f"<AcctSvcrRef>{self.reference}</AcctSvcrRef>" if self.reference else ""
        return (
            f'<Ntry><Amt Ccy="{currency}">{self.figure.lstrip("-")}</Amt><CdtDbtInd>{side}</CdtDbtInd>{self.more}<Sts><Cd>{self.status}</Cd></Sts>'
            f"<BookgDt><Dt>2026-03-03</Dt></BookgDt><ValDt><Dt>2026-03-04</Dt></ValDt>{named}"
            f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
            f"{f'<NtryDtls>{self.details}</NtryDtls>' if self.details else ''}</Ntry>"
        )


def transaction(figure: str = "", *, end_to_end: str = "P-1", currency: str = "EUR", more: str = "", refs: str = "") -> str:
    """One `TxDtls`; without a figure it has no amount of its own, with a sign it says which way it goes."""
    side = "" if not figure else f"<CdtDbtInd>{'DBIT' if figure.startswith('-') else 'CRDT'}</CdtDbtInd>"
    said = f'<Amt Ccy="{currency}">{figure.lstrip("-")}</Amt>' if figure else ""
    return f"<TxDtls><Refs>{refs}<EndToEndId>{end_to_end}</EndToEndId></Refs>{said}{side}{more}</TxDtls>"


def balance(kind: str, figure: str, currency: str = "EUR", day: str = "2026-03-03") -> str:
    """One `Bal`."""
    side = "DBIT" if figure.startswith("-") else "CRDT"
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{figure.lstrip("-")}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _document(message: str, body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{message}">{body}</Document>\n'.encode()


def statement(
    *movements: Movement, opening: str = "1000.00", closing: str = "1000.00", currency: str = "EUR", iban: str = OURS, sequence: str = "7",
    summary: str = "", pages: str = "", balances: str | None = None, period: bool = True, id_: str = "S-7", twice: bool = False,
) -> bytes:  # fmt: skip
    """A camt.053 of one account and 3 March 2026."""
    told = balances if balances is not None else balance("OPBD", opening, currency) + balance("CLBD", closing, currency)
    days = "<FrToDt><FrDtTm>2026-03-03T00:00:00Z</FrDtTm><ToDtTm>2026-03-03T23:59:59Z</ToDtTm></FrToDt>" if period else ""
    one = (
        f"<Stmt><Id>{id_}</Id>{pages}<ElctrncSeqNb>{sequence}</ElctrncSeqNb><CreDtTm>2026-03-03T23:59:59Z</CreDtTm>{days}"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct>{told}{summary}{''.join(one.xml(currency) for one in movements)}</Stmt>"
    )
    header = "<GrpHdr><MsgId>M-7</MsgId><CreDtTm>2026-03-03T23:59:59Z</CreDtTm></GrpHdr>"
    return _document("camt.053.001.08", f"<BkToCstmrStmt>{header}{one}{one if twice else ''}</BkToCstmrStmt>")


def notification(*movements: Movement, currency: str = "EUR", iban: str = OURS, summary: str = "") -> bytes:
    """A camt.054 of one account."""
    entries = "".join(one.xml(currency) for one in movements)
    return _document(
        "camt.054.001.08",
        f"<BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>N-1</MsgId><CreDtTm>2026-03-03T12:00:00+01:00</CreDtTm></GrpHdr><Ntfctn><Id>N-1</Id>"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct>{summary}{entries}</Ntfctn></BkToCstmrDbtCdtNtfctn>",
    )


def status_line(end_to_end: str, status: str, reason: str = "", words: str = "") -> str:
    """One `TxInfAndSts`."""
    said = f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn>{f'<AddtlInf>{words}</AddtlInf>' if words else ''}</StsRsnInf>" if reason else ""
    return f"<TxInfAndSts><OrgnlEndToEndId>{end_to_end}</OrgnlEndToEndId><TxSts>{status}</TxSts>{said}</TxInfAndSts>"


def status_report(*lines: str, group: str = "PART", group_reason: str = "", batch: str = "", original: str = "HOUSE-R7-F1") -> bytes:
    """A pain.002 on one file of one block."""
    overall = f"<GrpSts>{group}</GrpSts>" if group else ""
    why = f"<StsRsnInf><Rsn><Cd>{group_reason}</Cd></Rsn></StsRsnInf>" if group_reason else ""
    block = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{original}-1</OrgnlPmtInfId>{batch}{''.join(lines)}</OrgnlPmtInfAndSts>" if lines or batch else ""
    return _document(
        "pain.002.001.10",
        f"<CstmrPmtStsRpt><GrpHdr><MsgId>SR-1</MsgId><CreDtTm>2026-03-03T09:00:00Z</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{original}</OrgnlMsgId>"
        f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{overall}{why}</OrgnlGrpInfAndSts>{block}</CstmrPmtStsRpt>",
    )


def returned(end_to_end: str = "P-1", figure: str = "12.50", currency: str = "EUR", reason: str = "AC04", more: str = "") -> str:
    """One `TxInf` of a pacs.004."""
    return (
        f"<TxInf><RtrId>R-{end_to_end}</RtrId><OrgnlEndToEndId>{end_to_end}</OrgnlEndToEndId>{more}"
        f'<RtrdIntrBkSttlmAmt Ccy="{currency}">{figure}</RtrdIntrBkSttlmAmt>'
        f"<RtrRsnInf><Rsn><Cd>{reason}</Cd></Rsn><AddtlInf>account closed</AddtlInf></RtrRsnInf></TxInf>"
    )


def payment_return(*lines: str, count: int | None = None, total: str = "12.50", currency: str = "EUR", control: str | None = None) -> bytes:
    """A pacs.004."""
    return _document(
        "pacs.004.001.09",
        f"<PmtRtr><GrpHdr><MsgId>RT-1</MsgId><CreDtTm>2026-03-06T09:00:00Z</CreDtTm><NbOfTxs>{len(lines) if count is None else count}</NbOfTxs>"
        f'<CtrlSum>{total if control is None else control}</CtrlSum><TtlRtrdIntrBkSttlmAmt Ccy="{currency}">{total}</TtlRtrdIntrBkSttlmAmt>'
        f"<IntrBkSttlmDt>2026-03-06</IntrBkSttlmDt><SttlmInf><SttlmMtd>INDA</SttlmMtd></SttlmInf></GrpHdr>"
        f"<OrgnlGrpInf><OrgnlMsgId>HOUSE-R7-F1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInf>{''.join(lines)}</PmtRtr>",
    )


def recall_line(end_to_end: str = "P-1", status: str = "ACCR", reason: str = "") -> str:
    """One `TxInfAndSts` of a camt.029."""
    why = f"<CxlStsRsnInf><Rsn><Cd>{reason}</Cd></Rsn><AddtlInf>no funds</AddtlInf></CxlStsRsnInf>" if reason else ""
    return f"<TxInfAndSts><OrgnlEndToEndId>{end_to_end}</OrgnlEndToEndId><TxCxlSts>{status}</TxCxlSts>{why}</TxInfAndSts>"


def recall_answer(*lines: str, overall: str = "CNCL") -> bytes:
    """A camt.029 on one block."""
    party = "<Pty><Nm>Bank</Nm></Pty>"
    return _document(
        "camt.029.001.09",
        f"<RsltnOfInvstgtn><Assgnmt><Id>A-1</Id><Assgnr>{party}</Assgnr><Assgne>{party}</Assgne><CreDtTm>2026-03-04T09:00:00Z</CreDtTm></Assgnmt>"
        f"<RslvdCase><Id>CASE-1</Id><Cretr>{party}</Cretr></RslvdCase><Sts><Conf>{overall}</Conf></Sts><CxlDtls><OrgnlPmtInfAndSts>"
        f"<OrgnlPmtInfId>HOUSE-R7-F1-1</OrgnlPmtInfId><OrgnlGrpInf><OrgnlMsgId>HOUSE-R7-F1</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInf>"
        f"{''.join(lines)}</OrgnlPmtInfAndSts></CxlDtls></RsltnOfInvstgtn>",
    )
