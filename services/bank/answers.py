"""What the bank answers to a payment file or a recall, and what it sends back: pain.002.001.10, camt.029.001.09, pacs.004.001.09."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from lxml import etree

from schemas.bank_messages import BatchStatus, PaymentStatus, RecallAnswer, RecallStatus, Return, StatusLine, StatusReport
from services.bank.elements import amount, children, day, moment, required, text, wrong
from services.bank.errors import BankCode

Status = TypeVar("Status", bound=StrEnum)


def status_report(root: etree._Element) -> StatusReport:
    """What a valid pain.002 says. Raises `BankError`: not-valid (a status that is none of the standard; nothing said), repeated-id (a payment twice)."""
    message = required(root, "CstmrPmtStsRpt")
    group = required(message, "OrgnlGrpInfAndSts")
    lines: list[StatusLine] = []
    batches: list[BatchStatus] = []
    for block in children(message, "OrgnlPmtInfAndSts"):
        if text(block, "PmtInfSts"):
            batches.append(BatchStatus(text(block, "OrgnlPmtInfId"), _status(block, "PmtInfSts", PaymentStatus), *_reason(block, "StsRsnInf")))
        lines.extend(
            StatusLine(text(line, "OrgnlEndToEndId"), _status(line, "TxSts", PaymentStatus), *_reason(line, "StsRsnInf"))
            for line in children(block, "TxInfAndSts")
        )
    _no_repeats((line.end_to_end_id for line in lines), message)
    _no_repeats((batch.payment_information_id for batch in batches), message)
    overall = _status(group, "GrpSts", PaymentStatus) if text(group, "GrpSts") else None
    if overall is None and not lines and not batches:
        raise wrong(message, BankCode.NOT_VALID, "the report gives no status, neither of the file nor of a payment")
    return StatusReport(
        message_id=text(message, "GrpHdr/MsgId"), created_at=moment(required(message, "GrpHdr"), "CreDtTm"), original_message_id=text(group, "OrgnlMsgId"),
        group_status=overall, group_reason=_reason(group, "StsRsnInf")[0], lines=tuple(lines), batches=tuple(batches),
    )  # fmt: skip


def recall_answers(root: etree._Element) -> tuple[RecallAnswer, ...]:
    """What a valid camt.029 says of each payment. Raises `BankError`: not-valid (no payment named, an unknown status), repeated-id."""
    message = required(root, "RsltnOfInvstgtn")
    assignment = required(message, "Assgnmt")
    found = []
    for details in children(message, "CxlDtls"):
        for block in children(details, "OrgnlPmtInfAndSts"):
            original = text(block, "OrgnlGrpInf/OrgnlMsgId") or text(details, "OrgnlGrpInfAndSts/OrgnlMsgId")
            for line in children(block, "TxInfAndSts"):
                case = text(line, "RslvdCase/Id") or text(block, "RslvdCase/Id") or text(message, "RslvdCase/Id")
                status = _status(line, "TxCxlSts", RecallStatus)
                found.append(
                    RecallAnswer(
                        text(assignment, "Id"),
                        case,
                        moment(assignment, "CreDtTm"),
                        original,
                        text(line, "OrgnlEndToEndId"),
                        status,
                        *_reason(line, "CxlStsRsnInf"),
                    )
                )
    if not found:
        raise wrong(message, BankCode.NOT_VALID, "the answer names no payment that was recalled")
    _no_repeats((answer.end_to_end_id for answer in found), message)
    return tuple(found)


def returns(root: etree._Element) -> tuple[Return, ...]:
    """What a valid pacs.004 says. Raises `BankError`: wrong-sum (its count or sums are not those of its payments), repeated-id, bad-amount."""
    message = required(root, "PmtRtr")
    header = required(message, "GrpHdr")
    day_of_all, original_of_all = day(header, "IntrBkSttlmDt"), text(message, "OrgnlGrpInf/OrgnlMsgId")
    reason_of_all = _reason(required(message, "OrgnlGrpInf"), "RtrRsnInf") if original_of_all else ("", "")
    found = []
    total = Decimal(0)
    for line in children(message, "TxInf"):
        element = required(line, "RtrdIntrBkSttlmAmt")
        units, currency = amount(element)
        total += Decimal(str(element.text).strip())
        reason = _reason(line, "RtrRsnInf")
        found.append(
            Return(
                message_id=text(header, "MsgId"), id=text(line, "RtrId"), created_at=moment(header, "CreDtTm"),
                original_message_id=text(line, "OrgnlGrpInf/OrgnlMsgId") or original_of_all, end_to_end_id=text(line, "OrgnlEndToEndId"),
                uetr=text(line, "OrgnlUETR"), amount_minor=units, currency=currency, settlement_date=day(line, "IntrBkSttlmDt") or day_of_all,
                reason_code=reason[0] or reason_of_all[0], reason_text=reason[1] or reason_of_all[1],
            )
        )  # fmt: skip
    _check_totals(header, found, total)
    _no_repeats((one.end_to_end_id for one in found), message)
    return tuple(found)


def _check_totals(header: etree._Element, found: list[Return], total: Decimal) -> None:
    """The header's count, control sum (of all figures, whatever their currencies) and total amount against the payments'."""
    if int(text(header, "NbOfTxs")) != len(found):
        raise wrong(header, BankCode.WRONG_SUM, f"the message says another number of payments than the {len(found)} that it has")
    said = text(header, "CtrlSum")
    if said and Decimal(said) != total:
        raise wrong(header, BankCode.WRONG_SUM, "the control sum is another than the sum of the payments")
    for element in children(header, "TtlRtrdIntrBkSttlmAmt"):
        units, currency = amount(element)
        if {one.currency for one in found} != {currency} or sum(one.amount_minor for one in found) != units:
            raise wrong(element, BankCode.WRONG_SUM, "the total amount is another than the sum of the payments")


def _status(element: etree._Element, path: str, statuses: type[Status]) -> Status:
    try:
        return statuses(text(element, path))
    except ValueError:
        raise wrong(element, BankCode.NOT_VALID, f"{path} is none of {', '.join(statuses)}") from None


def _reason(element: etree._Element, path: str) -> tuple[str, str]:
    """Code and text of the first reason that has a code, or the bank's own word for it."""
    reasons = children(element, path)
    code = next((said for one in reasons if (said := text(one, "Rsn/Cd", "Rsn/Prtry"))), "")
    words = " ".join(str(line.text).strip() for one in reasons for line in children(one, "AddtlInf") if line.text)
    return code, words


def _no_repeats(ids: Iterable[str], message: etree._Element) -> None:
    named = list(ids)
    if len(set(named)) != len(named):
        raise wrong(message, BankCode.REPEATED_ID, "the message names the same payment twice")
