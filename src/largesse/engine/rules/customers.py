"""Conditions on who redeems."""

from largesse.engine.rules.leaves import Name, metadata

NAMES = {
    "customer.metadata": Name(
        "customer", metadata(lambda facts: facts.customer.metadata if facts.customer else None), frozenset({"customer"})
    ),
}
