"""The recall of a payment, camt.055.001.08: asks the bank to cancel it, or to bring it back. Its answer is a camt.029 (`answers.py`)."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Final

from lxml import etree

from schemas.bank_messages import Recall
from schemas.money import to_text
from services.bank.references import name_for_bank
from services.bank.xml import CAMT_055, written

REASONS: Final = frozenset({"AC03", "AM09", "CURR", "CUST", "CUTA", "DUPL", "FRAD", "TECH", "UPAY"})
"""Why a customer may recall a payment: codes of the standard's external list."""


def recall_message(recall: Recall, name: str) -> bytes:
    """The message; the same recall gives the same bytes. `name` is the operator's. Raises `BankError`: not-valid; `ValueError`: a reason of no list."""
    if recall.reason_code not in REASONS:
        raise ValueError(f"a recall's reason is one of {', '.join(sorted(REASONS))}")
    figure = to_text(recall.amount_minor, recall.currency)
    root = etree.Element(f"{{{CAMT_055}}}Document", nsmap={None: CAMT_055})  # type: ignore[dict-item]  # the stubs do not know default name spaces
    request = _add(root, "CstmrPmtCxlReq")
    assignment = _add(request, "Assgnmt")
    _add(assignment, "Id", recall.message_id)
    _add(_add(_add(assignment, "Assgnr"), "Pty"), "Nm", name_for_bank(name))
    _add(_add(_add(_add(_add(assignment, "Assgne"), "Agt"), "FinInstnId"), "Othr"), "Id", "NOTPROVIDED")
    _add(assignment, "CreDtTm", recall.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    case = _add(request, "Case")
    _add(case, "Id", recall.case_id)
    _add(_add(_add(case, "Cretr"), "Pty"), "Nm", name_for_bank(name))
    control = _add(request, "CtrlData")
    _add(control, "NbOfTxs", "1")
    _add(control, "CtrlSum", str(Decimal(figure)))
    block = _add(_add(request, "Undrlyg"), "OrgnlPmtInfAndCxl")
    _add(block, "OrgnlPmtInfId", recall.payment_information_id)
    original = _add(block, "OrgnlGrpInf")
    _add(original, "OrgnlMsgId", recall.original_message_id)
    _add(original, "OrgnlMsgNmId", "pain.001.001.09")
    line = _add(block, "TxInf")
    _add(line, "CxlId", recall.case_id)
    _add(line, "OrgnlEndToEndId", recall.end_to_end_id)
    if recall.uetr:
        _add(line, "OrgnlUETR", recall.uetr)
    _add(line, "OrgnlInstdAmt", figure).set("Ccy", recall.currency)
    _add(_add(line, "OrgnlReqdExctnDt"), "Dt", recall.value_date.isoformat())
    _add(_add(_add(line, "CxlRsnInf"), "Rsn"), "Cd", recall.reason_code)
    return written(root, CAMT_055)


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{CAMT_055}}}{name}")
    child.text = text
    return child
