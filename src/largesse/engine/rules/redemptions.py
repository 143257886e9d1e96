"""Conditions on the redemption itself: who asks for it, and with what."""

from largesse.engine.rules.documents import RuleFault
from largesse.engine.rules.facts import Facts
from largesse.engine.rules.leaves import Leaf, Name, Test, id_of, of_number, of_property, true_only
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


NAMES = {
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
