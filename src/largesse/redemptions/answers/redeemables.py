"""One redeemable of a request in wire form: what it would do, or why it does not."""

from collections.abc import Mapping, Sequence

import msgspec

from largesse.categories.model import CategoryAnswer
from largesse.engine.books import Ask
from largesse.engine.decision import Outcome
from largesse.engine.stacking import StackingRules
from largesse.kernel.call import Call
from largesse.orders import forms
from largesse.redemptions.answers.shapes import ItemList, Points, RedeemableAnswer, Result
from largesse.redemptions.books import Books
from largesse.redemptions.model import StackableRequest, expanded


def redeemables(
    books: Books, call: Call, body: StackableRequest, outcomes: Sequence[Outcome]
) -> list[RedeemableAnswer]:
    """The redeemables of a validation, or the skipped and inapplicable ones of a redemption."""
    if not outcomes:
        return []
    expand = expanded(body)
    return [_redeemable(books, call, expand, outcome) for outcome in outcomes]


def _redeemable(books: Books, call: Call, expand: frozenset[str], outcome: Outcome) -> RedeemableAnswer:
    ask = outcome.ask
    # A stack that does not exist has no tiers to list, and SDKs know no other objects than these two.
    kind = "voucher" if ask.object == "voucher" else "promotion_tier"
    found = RedeemableAnswer(status=outcome.status, id=ask.id, object=kind, result=result(outcome, call))
    if outcome.status == "APPLICABLE":
        if "order" in expand and outcome.order is not None:
            found.order = forms.running(outcome.order)
        found.applicable_to = ItemList(outcome.applicable_to, len(outcome.applicable_to))
        found.inapplicable_to = ItemList(outcome.inapplicable_to, len(outcome.inapplicable_to))
    own = ask.tier or ask.voucher
    if own is None:  # nothing has that name, so there is nothing to say of it
        return found
    found.metadata = own.metadata if "redeemable" in expand and not call.is_client else {}
    shown = books.categories if "category" in expand else {}
    found.categories = with_stacking_type(shown, ask, books.project.settings.stacking_rules)
    if "redeemable" in expand:
        _name(found, ask)
    return found


def _name(found: RedeemableAnswer, ask: Ask) -> None:
    """The campaign a redeemable belongs to, and the name of a tier."""
    if ask.tier is not None:
        found.name = ask.tier.name
        found.campaign_name, found.campaign_id = ask.tier.campaign.name, ask.tier.campaign.id
    elif ask.voucher is not None:
        found.campaign_name, found.campaign_id = ask.voucher.campaign, ask.voucher.campaign_id


def with_stacking_type(known: Mapping[str, CategoryAnswer], ask: Ask, rules: StackingRules) -> list[CategoryAnswer]:
    """The one category that counts, if it is known, with what the stacking rules say of it."""
    found = known.get(ask.category.id) if ask.category else None
    if found is None:
        return []
    if rules.is_joint(ask):
        return [msgspec.structs.replace(found, stacking_rules_type="JOINT")]
    if rules.is_exclusive(ask):
        return [msgspec.structs.replace(found, stacking_rules_type="EXCLUSIVE")]
    return [found]


def result(outcome: Outcome, call: Call) -> Result:
    if outcome.refusal is not None:
        refusal = outcome.refusal
        error = {name: value for name, value in msgspec.to_builtins(refusal).items() if value is not None}
        details = {"message": refusal.error.message if refusal.error else refusal.message, "key": refusal.key}
        return Result(error=error | {"request_id": call.request_id}, details=details, bundle=outcome.bundle)
    if outcome.skip is not None:
        return Result(details={"key": outcome.skip.key, "message": outcome.skip.message})
    card = outcome.ask.voucher
    if outcome.credits is not None and card is not None:
        return Result(gift={"balance": card.balance, "credits": outcome.credits})
    if outcome.points is not None:
        return Result(loyalty_card=Points(outcome.points))
    return Result(discount=outcome.discount, bundle=outcome.bundle)
