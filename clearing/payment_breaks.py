"""What is wrong between the house's payments and what its bank says of them (codes of banks.md; those of card rewards are in `clearing.matching`)."""

from enum import StrEnum, unique


@unique
class PaymentBreak(StrEnum):
    """Why somebody has to look."""

    STATEMENT_GAP = "STATEMENT_GAP"
    """A statement between is missing: those after it do not count."""
    BALANCE = "BALANCE"
    """A statement does not open with what the one before it closed with: it does not count."""
    BANK_REJECTED = "BANK_REJECTED"
    """The bank does not execute a payment."""
    BANK_CONTRADICTS = "BANK_CONTRADICTS"
    """The bank says of a payment both that it was made and that it was not: people decide."""
    DUPLICATE_BANK = "DUPLICATE_BANK"
    """The bank has more than one attempt at a payment."""
    BANK_RETURNED = "BANK_RETURNED"
    """A payment came back."""
    ORPHAN_CREDIT = "ORPHAN_CREDIT"
    """Money came in that names no payment."""
    CURRENCY = "CURRENCY"
    """An entry names a payment in another currency."""
    AMOUNT_OVER = "AMOUNT_OVER"
    """Statements show more than a payment's amount."""
    AMOUNT_UNDER = "AMOUNT_UNDER"
    """The bank made a payment with less than its amount."""
    LATE = "LATE"
    """Money came for a run whose place another has taken."""
    MISSING_AT_BANK = "MISSING_AT_BANK"
    """The deadline has passed, and no statement shows the payment."""
    MISSING_AT_PROGRAMME = "MISSING_AT_PROGRAMME"
    """The bank has debited what the house has not ordered."""
