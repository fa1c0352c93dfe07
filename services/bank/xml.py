"""XML from and for the bank: read with everything off that a file could abuse, and validated against its XSD."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from lxml import etree

from services.bank.errors import BankCode, BankError

PAIN_001: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
FILE_BYTES_MAX: Final = 50_000_000
"""No message is larger."""
_XSD: Final = {PAIN_001: ("sepaxml", "schemas/pain.001.001.09.xsd")}
"""Where the XSD of a name space lies: in packages, since the house keeps no copy of them."""


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True)


@cache
def _schema(namespace: str) -> etree.XMLSchema:
    package, path = _XSD[namespace]
    return etree.XMLSchema(etree.fromstring(files(package).joinpath(path).read_bytes(), _parser()))


def read_xml(content: bytes, namespace: str) -> etree._Element:
    """The root of a message that is valid by the XSD of this name space.

    Raises `BankError`: bad-xml (not well-formed, a document type or an entity, too large or too deep), not-valid (another name space, or against the XSD).
    """
    if len(content) > FILE_BYTES_MAX:
        raise BankError(BankCode.BAD_XML, f"the file is larger than {FILE_BYTES_MAX:,} bytes")
    try:
        root = etree.fromstring(content, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BankError(BankCode.BAD_XML, f"the file is not XML that can be read: {error}") from None
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]  # the stubs leave it out
        raise BankError(BankCode.BAD_XML, "the file has a document type: messages of banks have none")
    if etree.QName(root).namespace != namespace:
        raise BankError(BankCode.NOT_VALID, f"the file is of name space {etree.QName(root).namespace}, not {namespace}")
    schema = _schema(namespace)
    if not schema.validate(root):
        first = schema.error_log[0]  # type: ignore[index]  # the stubs do not know that it is a list
        raise BankError(BankCode.NOT_VALID, f"line {first.line}: {first.message}")
    return root


def written(root: etree._Element, namespace: str) -> bytes:
    """The bytes of a message, read again and validated. Raises `BankError`: not-valid."""
    content = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    read_xml(content, namespace)
    return content
