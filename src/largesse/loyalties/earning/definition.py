"""What an earning rule may say: checked when it is saved, and read as the engine computes with it."""

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec

from largesse.engine.earning import Covered, Earning, Measure, Proportion
from largesse.engine.formulas import compile_formula
from largesse.engine.points import ExpirationRules, missing_member
from largesse.engine.validity import DailyHours, check_definition
from largesse.kernel.benefits import VALIDITY
from largesse.kernel.errors import ApiError, invalid_payload
from largesse.loyalties.earning.model import (
    ORDER_PAID,
    SEGMENT_ENTERED,
    TIER_EVENTS,
    CoveredInput,
    LoyaltyInput,
    RateInput,
    StoredEarningRule,
)
from largesse.validation_rules.definition import check_formula

# Where the rate of each calculation type stands.
_PLACES: dict[Measure, tuple[str, str]] = {
    "ORDER_AMOUNT": ("order", "amount"),
    "ORDER_TOTAL_AMOUNT": ("order", "total_amount"),
    "ORDER_METADATA": ("order", "metadata"),
    "ORDER_ITEMS_QUANTITY": ("order_items", "quantity"),
    "ORDER_ITEMS_AMOUNT": ("order_items", "amount"),
    "ORDER_ITEMS_SUBTOTAL_AMOUNT": ("order_items", "subtotal_amount"),
    "CUSTOMER_METADATA": ("customer", "metadata"),
    "CUSTOM_EVENT_METADATA": ("custom_event", "metadata"),
}
_OF_CUSTOMERS: tuple[Measure, ...] = ("CUSTOMER_METADATA",)
_OF_ORDERS: tuple[Measure, ...] = tuple(one for one in _PLACES if one != "CUSTOM_EVENT_METADATA")
_OF_EVENTS: tuple[Measure, ...] = ("CUSTOM_EVENT_METADATA", "CUSTOMER_METADATA")


def is_custom(event: str) -> bool:
    """Whether an event is one of the project's own; names of the API's own events cannot be (our decision)."""
    return not event.startswith(("customer.", "order."))


def check_event(event: str) -> None:
    """Raises ApiError 400 `invalid_payload` for an event that earns nothing."""
    known = (ORDER_PAID, SEGMENT_ENTERED, *TIER_EVENTS)
    if event not in known and not is_custom(event):
        raise invalid_payload(
            f"Property .event should be one of {', '.join(known)}, or the name of a custom event (got {event})"
        )


def measures(event: str) -> tuple[Measure, ...]:
    """What a rule of this event can be proportional to (documented)."""
    if event == ORDER_PAID:
        return _OF_ORDERS
    return _OF_EVENTS if is_custom(event) else _OF_CUSTOMERS


def checked_loyalty(sent: LoyaltyInput, event: str) -> dict[str, Any]:
    """How points are counted, as stored and shown. Raises ApiError 400 `invalid_payload`."""
    if sent.type == "FIXED":
        return {"type": "FIXED", **_points(sent.points, sent.points_formula, ".loyalty")}
    measure = sent.calculation_type or _implied(sent)
    if measure not in measures(event):
        allowed = ", ".join(measures(event))
        raise invalid_payload(f"Property .loyalty.calculation_type can be {allowed} for {event} (got {measure})")
    part, member = _PLACES[measure]
    rate: RateInput | None = getattr(getattr(sent, part), member, None)
    if rate is None:
        kind = part.replace("_", " ")
        raise invalid_payload(f"Loyalty {kind} rules must contain one of the following properties - '{member}'")
    place = f".loyalty.{part}.{member}"
    if rate.every is None:
        raise invalid_payload(f"Property {place} should have required property 'every'")
    shown = {"every": int(rate.every), **_points(rate.points, rate.points_formula, place)}
    if member == "metadata":
        if not rate.property:
            raise invalid_payload(f"Property {place} should have required property 'property'")
        shown["property"] = rate.property
    if part == "order_items":
        shown |= _coverage(rate, place)
    return {"type": "PROPORTIONAL", "calculation_type": measure, part: {member: shown}}


def _implied(sent: LoyaltyInput) -> Measure:
    """The calculation type that the one rate given says."""
    given = [one for one, (part, member) in _PLACES.items() if getattr(getattr(sent, part), member, None) is not None]
    if len(given) != 1:
        raise invalid_payload("Property .loyalty should have required property 'calculation_type'")
    return given[0]


def _points(points: int | str | None, formula: str | None, place: str) -> dict[str, Any]:
    if points is None:
        raise invalid_payload(f"Property {place} should have required property 'points'")
    if formula is None:
        return {"points": int(points)}
    check_formula(formula, f"{place}.points_formula")
    return {"points": int(points), "points_formula": formula}


def _coverage(rate: RateInput, place: str) -> dict[str, Any]:
    """The first entry stands beside the list, too (documented)."""
    entries: Sequence[CoveredInput] = rate.applicable_to or ()
    if not entries and rate.object and rate.id:
        entries = [CoveredInput(rate.object, rate.id)]
    if not entries:
        raise invalid_payload(f"Property {place} should have required property 'applicable_to'")
    return {
        "object": entries[0].object,
        "id": entries[0].id,
        "applicable_to": [{"object": one.object, "id": one.id} for one in entries],
    }


def earning_of(loyalty: dict[str, Any]) -> Earning:
    """A checked `loyalty` as the engine computes with it."""
    if loyalty["type"] == "FIXED":
        return _earning(loyalty, None)
    measure: Measure = loyalty["calculation_type"]
    part, member = _PLACES[measure]
    rate = loyalty[part][member]
    per = Proportion(
        measure=measure,
        every=rate["every"],
        property=rate.get("property", ""),
        covered=tuple(Covered(one["object"], one["id"]) for one in rate.get("applicable_to", ())),
    )
    return _earning(rate, per)


def _earning(rate: dict[str, Any], per: Proportion | None) -> Earning:
    formula = rate.get("points_formula")
    return Earning(points=rate["points"], formula=compile_formula(formula) if formula else None, per=per)


def check_rule(rule: StoredEarningRule) -> None:
    """Raises ApiError 400 `invalid_payload` where parts of a rule contradict each other."""
    if rule.pending_days is not None and rule.event != ORDER_PAID:
        raise invalid_payload(f"Property .pending_points can be set only for {ORDER_PAID}")
    refusal = check_definition(*(getattr(rule, name) for name in VALIDITY))
    if refusal is not None:
        raise ApiError(msgspec.structs.replace(refusal, key="invalid_payload", message="Invalid payload"))
    if rule.validity_hours is not None:
        _check_hours(rule.validity_hours.daily)
    check_expiration(rule.expiration_rules)


def check_expiration(rules: ExpirationRules | None) -> None:
    missing = missing_member(rules) if rules else None
    if missing:
        raise invalid_payload(f"Property .expiration_rules should have required property '{missing}'")


def _check_hours(daily: Sequence[DailyHours]) -> None:
    """Windows of one day may not overlap (documented)."""
    for day in range(7):
        on_day = sorted(
            (one.start_time, one.expiration_time or "24:00")
            for one in daily
            if one.days_of_week is None or day in one.days_of_week
        )
        for (_, end), (start, _) in itertools.pairwise(on_day):
            if start < end:
                raise invalid_payload("Property .validity_hours.daily should have windows that do not overlap")
