"""Price tables of all providers, as the pure functions of `otto.decide.costing` take them."""

from otto.model.cost import PriceTable
from otto.model.spec import Provider
from otto.ports import Prices


def tables(prices: Prices) -> dict[str, PriceTable]:
    """Provider -> its price table, of those that have one."""
    found = {provider.value: prices.table(provider) for provider in Provider}
    return {name: table for name, table in found.items() if table is not None}


def currency(prices: Prices) -> str:
    """The currency of the price tables, which all have the same; "" where there is none."""
    return next((table.currency for table in tables(prices).values()), "")
