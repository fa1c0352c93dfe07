"""``card-transaction.v1``: what banks report of members' payment cards, by token only."""

from typing import Literal

from pydantic import Field

from schemas.events.envelope import Envelope
from schemas.events.fields import AmountMinor, Card, Currency, Data, Day, Id, Mcc, Name, Timestamp


class CardTransaction(Data):
    """A transaction of a payment card."""

    card_token: Card = Field(description="Token or payment account reference of the card, never its number.")
    kind: Literal["clearing", "refund", "chargeback", "chargeback-reversal"] = Field(description="What happened.")
    original_id: Id | None = Field(None, description="Id of the clearing transaction; a chargeback reversal may name the chargeback.")
    amount_minor: AmountMinor = Field(description="Amount in minor units.")
    currency: Currency = Field(description="Currency of the amount.")
    mcc: Mcc = Field(description="Merchant category code.")
    acceptor: Name | None = Field(None, description="Id of the shop at its acquirer.")
    rrn: Name | None = Field(None, description="Retrieval reference number.")
    auth_code: Name | None = Field(None, description="Authorisation code.")
    arn: Name | None = Field(None, description="Acquirer reference number.")
    transacted_at: Timestamp = Field(description="When the card was used, RFC 3339 with offset.")
    posted_on: Day = Field(description="Day on which the bank posted it.")


class CardTransactionEvent(Envelope):
    """A card transaction in its envelope."""

    type: Literal["card-transaction.v1"] = Field(description="A bank reports a card transaction.")
    data: CardTransaction = Field(description="What it reports.")
