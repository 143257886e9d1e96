"""Customers who get a card of a program because they earned something in it."""

import largesse.publications.issuing as publications
from largesse.customers.model import StoredCustomer
from largesse.kernel.database.unit import Unit
from largesse.vouchers.model import StoredVoucher


def join(unit: Unit, campaign_id: str, customer: StoredCustomer) -> StoredVoucher | None:
    """A card of the program for a customer who has none; None where no card is left (documented: no points then).

    The caller holds the lock of the customer's row.
    """
    return publications.publish_to_all(unit, campaign_id, [customer]).get(customer.id)
