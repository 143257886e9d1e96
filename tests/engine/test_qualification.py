"""How programs define by what their tiers are reached."""

from typing import Any

import msgspec
import pytest

from largesse.engine.calendar import Span
from largesse.engine.qualification import TiersExpiration, scheme_of
from largesse.engine.tiers import ByBalance, ByPeriod, Rounding, Scheme


def meaning(document: dict[str, Any] | None) -> Scheme:
    return scheme_of(None if document is None else msgspec.convert(document, TiersExpiration))


def by_period(expiration: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    expiration = expiration or {}
    return {
        "qualification_type": "POINTS_IN_PERIOD",
        "qualification_period": "QUARTER",
        "expiration_date": expiration,
    } | more


def lasting(extend: str, **rounding: Any) -> dict[str, Any]:
    return {"expiration_date": {"type": "CUSTOM", "extend": extend} | ({"rounding": rounding} if rounding else {})}


@pytest.mark.parametrize(
    ("document", "scheme"),
    [
        (None, ByBalance()),
        ({"qualification_type": "BALANCE", "start_date": {"type": "IMMEDIATE"}}, ByBalance()),
        ({"expiration_date": {"type": "BALANCE_DROP"}}, ByBalance()),
        (lasting("P3M"), ByBalance(Span(months=3))),
        (lasting("P3M", strategy="END"), ByBalance(Span(months=3))),
        (lasting("P10D", type="MONTH"), ByBalance(Span(days=10), Rounding("MONTH"))),
        (lasting("P1M", type="YEAR", strategy="START"), ByBalance(Span(months=1), Rounding("YEAR", end=False))),
        (
            lasting("P4M", type="CUSTOM", unit="MONTH", value=1),
            ByBalance(Span(months=4), Rounding("CUSTOM", month=2)),
        ),
        (by_period(), ByPeriod("QUARTER")),
        (by_period({"type": "END_OF_NEXT_PERIOD"}), ByPeriod("QUARTER", through_next=True)),
        (
            by_period({"type": "END_OF_PERIOD", "extend": "P7D"}, start_date={"type": "NEXT_PERIOD"}),
            ByPeriod("QUARTER", at_once=False, extend=Span(days=7)),
        ),
    ],
)
def test_what_a_definition_means(document: dict[str, Any] | None, scheme: Scheme) -> None:
    assert meaning(document) == scheme


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (by_period(qualification_period=None), ".qualification_period"),
        (by_period({"type": "CUSTOM"}), ".expiration_date.type"),
        ({"start_date": {"type": "NEXT_PERIOD"}}, ".start_date.type"),
        ({"expiration_date": {"type": "END_OF_PERIOD"}}, ".expiration_date.type"),
        ({"expiration_date": {"type": "CUSTOM"}}, ".expiration_date.extend"),
        (lasting("P3M", type="CUSTOM"), ".expiration_date.rounding.value"),
        *((lasting(text), ".expiration_date.extend") for text in ("3 months", "PT1H", "P0M", "P1201M", "P36501D")),
    ],
)
def test_what_says_nothing_possible_is_named_with_its_place(document: dict[str, Any], place: str) -> None:
    with pytest.raises(ValueError, match=f"^{place}"):
        meaning(document)
