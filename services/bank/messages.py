"""Every message that the settlement bank sends us, read: from bytes to what it says, or refused."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from lxml import etree

from schemas.bank_messages import BankMessage, Notification, Statement
from services.bank.account_reports import notifications, statements
from services.bank.answers import recall_answers, returns, status_report
from services.bank.elements import refuse_card_data
from services.bank.errors import BankCode, BankError
from services.bank.masking import MASKABLE, bytes_to_keep, mask_texts
from services.bank.xml import CAMT_029, CAMT_053, CAMT_054, PACS_004, PAIN_002, read_xml

READERS: Final[dict[str, Callable[[etree._Element], BankMessage]]] = {
    PAIN_002: status_report,
    CAMT_054: notifications,
    CAMT_053: statements,
    PACS_004: returns,
    CAMT_029: recall_answers,
}


@dataclass(frozen=True, slots=True)
class Read:
    """A message as it was read. `kept`: the bytes that may be archived; `masked`: how many of its texts held a card number, which is struck out."""

    message: BankMessage
    kept: bytes
    masked: int


def read_message(content: bytes, accounts: Collection[str] | None = None) -> BankMessage:
    """What a message says, whichever of the five it is: see `read_to_keep`."""
    return read_to_keep(content, accounts).message


def read_to_keep(content: bytes, accounts: Collection[str] | None = None) -> Read:
    """What a message says, whichever of the five it is, and what of it may be kept. `accounts` are our IBANs, if it has to be about one of them.

    Raises `BankError` with one of its codes; nothing that could be a card number is ever repeated.
    """
    root = read_xml(content, *READERS)
    namespace = str(etree.QName(root).namespace)
    masked = mask_texts(root) if namespace in MASKABLE else 0
    refuse_card_data(root)
    message = READERS[namespace](root)
    if accounts is not None and isinstance(message, tuple):
        for part in message:
            if isinstance(part, Notification | Statement) and part.account_iban not in accounts:
                raise BankError(BankCode.WRONG_ACCOUNT, "the message is about an account that is not ours")
    return Read(message, bytes_to_keep(root, content, masked), masked)
