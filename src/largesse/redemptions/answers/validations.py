"""The answer of a validation."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

import largesse.customers.service as customers
from largesse.engine.sessions import Session
from largesse.engine.stacking import StackingRules
from largesse.kernel import ids, wire
from largesse.kernel.database.unit import Unit
from largesse.orders import forms
from largesse.orders.model import OrderAnswer
from largesse.redemptions.answers.redeemables import redeemables
from largesse.redemptions.answers.shapes import SessionAnswer, ValidationAnswer
from largesse.redemptions.books import Books
from largesse.redemptions.evaluation import Evaluation, Question
from largesse.redemptions.model import names_customer


def validation_answer(
    books: Books, unit: Unit, question: Question, evaluation: Evaluation, session: Session | None
) -> bytes:
    decision, body = evaluation.decision, question.body
    knows = not unit.call.is_client or names_customer(body)  # who has a card's code need not know its holder
    shown = decision.applicable if decision.valid else decision.outcomes
    root: OrderAnswer | UnsetType = UNSET
    if decision.valid and decision.order is not None:
        order = decision.order if knows else forms.of_nobody(decision.order)
        root = forms.validated(order, for_client=unit.call.is_client)
    found = ValidationAnswer(
        id=ids.hex_id("valid_"),
        valid=decision.valid,
        redeemables=redeemables(books, unit.call, body, shown),
        skipped_redeemables=redeemables(books, unit.call, body, decision.skipped) or UNSET,
        inapplicable_redeemables=redeemables(books, unit.call, body, decision.inapplicable) or UNSET,
        order=root,
        tracking_id=customers.tracking_id(unit.project, evaluation.customer if knows else None),
        session=_session(session) if session is not None and decision.valid else UNSET,
        stacking_rules=stacking_rules_view(unit.project.settings.stacking_rules),
    )
    return wire.encode(found)


def _session(session: Session) -> SessionAnswer:
    return SessionAnswer(session.key, "LOCK", session.effective_ttl, session.effective_unit)


def stacking_rules_view(rules: StackingRules) -> dict[str, Any]:
    """The rules as validations echo them: without the calculation modes; the per-category limits always explicit."""
    shown: dict[str, Any] = msgspec.to_builtins(rules)
    for hidden in ("discount_calculation_mode", "initial_amount_mode_categories", "discounted_amount_mode_categories"):
        shown.pop(hidden, None)
    if shown["grouped_redeemables_sorting_rule"] is None:  # an addition that some SDK models do not know
        del shown["grouped_redeemables_sorting_rule"]
    return shown
