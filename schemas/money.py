"""Money as whole minor units, and its text form. No float comes near either.

A sum is an ``int`` of the currency's smallest unit beside an ISO 4217 code. People write and read it
as decimal text, ``"-0.54"``; ``to_minor`` and ``to_text`` are the only way from one to the other.
"""

from __future__ import annotations

import re
from decimal import Decimal

MINOR_MAX = 10**15
"""No single sum may be larger than this, in minor units, so that sums of them fit a 64-bit column."""

_PLACES_NOT_TWO = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_CODES_OF_TWO = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS
INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN
NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC
SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
""".split()  # noqa: SIM905 - one line for each letter range reads better than 150 quoted strings
_PLACES: dict[str, int] = {**dict.fromkeys(_CODES_OF_TWO, 2), **_PLACES_NOT_TWO}

_PLAIN = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,12})?", re.ASCII)


class MoneyError(ValueError):
    """A sum that cannot be read: ``reason`` says why, in one sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def is_currency(code: str) -> bool:
    """Whether ``code`` is an ISO 4217 code in use."""
    return code in _PLACES


def currency_places(code: str) -> int:
    """Number of decimal places of a currency (EUR 2, JPY 0, KWD 3).

    Raises ``MoneyError`` for a code that is not in use.
    """
    try:
        return _PLACES[code]
    except KeyError:
        raise MoneyError("not an ISO 4217 currency code in use") from None


def to_minor(amount: str | Decimal, currency: str) -> int:
    """Minor units of a decimal amount: ``to_minor("-0.54", "EUR")`` is ``-54``.

    Raises ``MoneyError`` if the text is not plain decimal digits, if there are more places than the currency
    has (trailing zeros beyond them are harmless), or if the sum is larger than ``MINOR_MAX``.
    """
    places = currency_places(currency)
    if isinstance(amount, str):
        if _PLAIN.fullmatch(amount) is None:
            raise MoneyError('an amount is decimal text such as "12.50"')
        amount = Decimal(amount)
    elif not amount.is_finite():
        raise MoneyError("an amount is a finite number")
    sign, digits, exponent = amount.as_tuple()
    if not isinstance(exponent, int) or abs(exponent) > 40:
        raise MoneyError("an amount has at most 12 decimal places")
    minor = int("".join(map(str, digits)))
    shift = exponent + places
    if shift >= 0:
        minor *= int(10**shift)
    else:
        minor, left_over = divmod(minor, int(10**-shift))
        if left_over:
            raise MoneyError(f"{currency} has {places} decimal places; the amount has more")
    if minor > MINOR_MAX:
        raise MoneyError("an amount is at most 10^15 minor units")
    return -minor if sign else minor


def to_text(minor: int, currency: str) -> str:
    """Decimal text of minor units with the currency's places: ``to_text(-54, "EUR")`` is ``"-0.54"``."""
    places = currency_places(currency)
    digits = str(abs(minor))
    if places:
        digits = digits.rjust(places + 1, "0")
        digits = f"{digits[:-places]}.{digits[-places:]}"
    return f"-{digits}" if minor < 0 else digits
