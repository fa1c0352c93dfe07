"""Canonical JSON: one text for one content, so that its hash can be approved, chained and compared."""

import hashlib
import json

from pydantic import BaseModel


def canonical_json(model: BaseModel) -> bytes:
    """UTF-8 JSON with sorted keys and without spaces; decimals are plain text, dates ISO 8601."""
    document = model.model_dump(mode="json", by_alias=True)
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256_hex(value: bytes) -> str:
    """SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(value).hexdigest()
