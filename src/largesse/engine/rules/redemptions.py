"""Conditions on the redemption itself: who asks for it, and with what."""

from largesse.engine.rules.documents import RuleFault
from largesse.engine.rules.facts import Facts
from largesse.engine.rules.leaves import Leaf, Name, Test, id_of, metadata, number, true_only
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
    "redemption.metadata": Name("redemption", metadata(lambda facts: facts.metadata)),
    "redemption.api_key": Name("redemption", _api_key),
    "redemption.reward.pay_with_points.points_used": Name(
        "redemption", number(lambda facts: facts.points_used), of_result=True
    ),
    "redemption.user.login": Name("redemption", _user),
    "publication.redeemable_by_linked_customer": Name("redemption", _holder_only, frozenset({"customer"})),
}
