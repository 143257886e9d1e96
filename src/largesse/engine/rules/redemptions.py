"""Conditions on the redemption itself, or on the event that is judged: who asks for it, and with what."""

from largesse.engine.rules.documents import RuleFault
from largesse.engine.rules.facts import Facts
from largesse.engine.rules.leaves import (
    Leaf,
    Name,
    Test,
    id_of,
    metadata,
    of_number,
    of_property,
    property_of,
    true_only,
)
from largesse.engine.rules.operators import OF_ID, OF_TEXT, compile_conditions, conditions_of, values_of


def _api_key(leaf: Leaf, place: str) -> Test:
    try:
        ids = {
            operator: [id_of(one) for one in values_of(sent)] for operator, sent in conditions_of(leaf, place).items()
        }
    except ValueError as error:
        raise RuleFault(f"{place}.conditions {error}") from None
    check = compile_conditions({**leaf, "conditions": ids}, place, OF_ID)
    return lambda facts: check(facts.api_key, facts)


def _user(leaf: Leaf, place: str) -> Test:
    check = compile_conditions(leaf, place, OF_TEXT)
    return lambda facts: check(facts.user, facts)


def _holder_only(leaf: Leaf, place: str) -> Test:
    true_only(leaf, place)
    return _is_holder


def _is_holder(facts: Facts) -> bool:
    return facts.customer is not None and facts.customer.id == facts.holder_id


def _of_event(leaf: Leaf, place: str) -> Test:
    """Without an event nothing holds, not even that something is missing (our decision)."""
    holds = metadata(lambda facts: facts.event)(leaf, place)
    return lambda facts: facts.event is not None and holds(facts)


NAMES = {
    "custom_event.metadata": Name("redemption", _of_event, actual=lambda leaf, facts: property_of(leaf)(facts.event)),
    "redemption.metadata": of_property("redemption", lambda facts: facts.metadata),
    "redemption.api_key": Name("redemption", _api_key, actual=lambda _leaf, facts: facts.api_key),
    "redemption.user.login": Name("redemption", _user, actual=lambda _leaf, facts: facts.user),
    "redemption.reward.pay_with_points.points_used": of_number(
        "redemption", lambda facts: facts.points_used, of_result=True
    ),
    "publication.redeemable_by_linked_customer": Name(
        "redemption", _holder_only, frozenset({"customer"}), actual=lambda _leaf, facts: _is_holder(facts)
    ),
}
