"""What many integration tests begin with."""

from collections.abc import Iterator

import pytest

from services.runtime.local import Addresses
from tests.paying import approved
from tests.signers import Signers


@pytest.fixture(scope="module")
def signers(addresses: Addresses) -> Iterator[Signers]:
    """Monday is approved, once for all tests of a file."""
    with approved(addresses) as people:
        yield people
