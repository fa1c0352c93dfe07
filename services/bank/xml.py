"""XML from and for the bank: read with everything off that a file could abuse, and validated against its XSD."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from lxml import etree

from schemas.card_numbers import holds_card_number
from services.bank.errors import BankCode, BankError

_ISO: Final = "urn:iso:std:iso:20022:tech:xsd:"
PAIN_001: Final = _ISO + "pain.001.001.09"
PAIN_002: Final = _ISO + "pain.002.001.10"
CAMT_053: Final = _ISO + "camt.053.001.08"
CAMT_054: Final = _ISO + "camt.054.001.08"
CAMT_055: Final = _ISO + "camt.055.001.08"
CAMT_029: Final = _ISO + "camt.029.001.09"
PACS_004: Final = _ISO + "pacs.004.001.09"
FILE_BYTES_MAX: Final = 50_000_000
"""No message is larger."""
QUOTED_MAX: Final = 200
"""Of what a file says, an error repeats no more characters."""
_XSD: Final = {
    PAIN_001: ("sepaxml", "schemas/pain.001.001.09.xsd"),
    CAMT_053: ("camt053", "xsd/camt.053.001.08.xsd"),
    CAMT_054: ("camt053", "xsd/camt.054.001.08.xsd"),
    PAIN_002: ("services", "bank/xsd/pain.002.001.10.xsd"),
    CAMT_055: ("services", "bank/xsd/camt.055.001.08.xsd"),
    CAMT_029: ("services", "bank/xsd/camt.029.001.09.xsd"),
    PACS_004: ("services", "bank/xsd/pacs.004.001.09.xsd"),
}
"""Where the XSD of a name space lies: in packages, of which the house keeps no copy, or, where none brings it, our own profile (docs/adr/0018)."""
_UTF_8: Final = frozenset({"UTF-8", "US-ASCII", "ASCII"})
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00")
"""How files begin that are UTF-16, UTF-32, or have a byte order mark."""


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True)


@cache
def _schema(namespace: str) -> etree.XMLSchema:
    package, path = _XSD[namespace]
    found = find_spec(package)  # nothing of the package runs
    assert found is not None and found.submodule_search_locations, f"{package} is a dependency"
    return etree.XMLSchema(etree.fromstring(Path(found.submodule_search_locations[0], path).read_bytes(), _parser()))


def read_xml(content: bytes, *namespaces: str) -> etree._Element:
    """The root of a message that is valid by the XSD of one of these name spaces.

    Raises `BankError`: bad-xml (not well-formed, not UTF-8, a document type or an entity, too large or too deep), not-valid (another name space, or
    against the XSD).
    """
    if len(content) > FILE_BYTES_MAX:
        raise BankError(BankCode.BAD_XML, f"the file is larger than {FILE_BYTES_MAX:,} bytes")
    if content.startswith(_MARKS) or content[1:2] == b"\x00":
        raise BankError(BankCode.BAD_XML, "the file begins with a byte order mark or is not UTF-8: messages of banks are UTF-8 without a mark")
    try:
        root = etree.fromstring(content, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BankError(BankCode.BAD_XML, f"the file is not XML that can be read: {quoted(str(error))}") from None
    document = root.getroottree().docinfo
    if document.doctype:  # type: ignore[union-attr]  # the stubs leave it out
        raise BankError(BankCode.BAD_XML, "the file has a document type: messages of banks have none")
    if (document.encoding or "UTF-8").upper() not in _UTF_8:
        raise BankError(BankCode.BAD_XML, "the file says that it is in another encoding: messages of banks are UTF-8")
    namespace = etree.QName(root).namespace
    if namespace not in namespaces:
        expected = ", ".join(name.removeprefix(_ISO) for name in namespaces)
        raise BankError(BankCode.NOT_VALID, f"the file is of name space {quoted(str(namespace))}, not {expected}")
    schema = _schema(namespace)
    if not schema.validate(root):
        first = schema.error_log[0]  # type: ignore[index]  # the stubs do not know that it is a list
        raise BankError(BankCode.NOT_VALID, quoted(first.message), first.line)
    return root


def written(root: etree._Element, namespace: str) -> bytes:
    """The bytes of a message, read again and validated. Raises `BankError`: not-valid."""
    content = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    read_xml(content, namespace)
    return content


def quoted(text: str) -> str:
    """What a file says as an error may repeat it: cut off, and without anything that could be a card number."""
    return "a text that is not repeated, since it may hold a card number" if holds_card_number(text) else text[:QUOTED_MAX]
