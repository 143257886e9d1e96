"""What a segment's filter may ask of a customer, where that stands in the profile, and which changes can move it.

A profile is what the customer resource shows, as JSON; under `events` for each name of a custom event how often it happened and
when last: `{"count": 3, "last_date": "2026-03-01T10:00:00.000Z"}`; and under `tier_names` the names of loyalty tiers by their ids.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from largesse.engine.rules.facts import When
from largesse.engine.rules.moments import Check
from largesse.engine.rules.operators import OF_METADATA, OF_NUMBER
from largesse.engine.rules.places import OF_GEOPOINT
from largesse.engine.segments.calendar import CALENDAR, OF_BIRTHDAYS, Build

Profile: TypeAlias = Mapping[str, Any]
Read: TypeAlias = Callable[[Profile], Any]

_PRESENCE = ("$has_value", "$is_unknown")
_IDENTITY = ("$is", "$is_not", "$in", "$not_in")
_TEXTS = ("$contains", "$not_contain", "$starts_with", "$ends_with")
_COUNTS = ("$count", "$count_more", "$count_less", "$not_differ", "$not_intersect")
OF_TEXT: Mapping[str, Build] = {name: OF_METADATA[name] for name in (*_IDENTITY, *_TEXTS, *_PRESENCE)}
_NEGATIVE = ("$is_not", "$not_in", "$not_contain", "$is_unknown")


def _of_any_name(operator: str, build: Build) -> Build:
    """For what goes by several names: one of them fits, or none where it must not."""
    together = all if operator in _NEGATIVE else any

    def built(values: Sequence[object]) -> Check:
        check = build(values)

        def holds(names: Any, when: When) -> bool:
            return together(check(one, when) for one in names)

        return holds

    return built


OF_NAMES: Mapping[str, Build] = {operator: _of_any_name(operator, build) for operator, build in OF_TEXT.items()}
OF_DATE: Mapping[str, Build] = {
    **{name: build for name, build in OF_METADATA.items() if name not in (*_TEXTS, *_COUNTS)},
    **CALENDAR,
}
OF_BIRTHDAY: Mapping[str, Build] = {**OF_DATE, **{name: CALENDAR[blind] for name, blind in OF_BIRTHDAYS.items()}}
OF_ANYTHING: Mapping[str, Build] = {**OF_METADATA, **CALENDAR, **OF_GEOPOINT}


class Field(msgspec.Struct, frozen=True):
    """`reads` names the changes that can move it, as `Filter.reads` does."""

    operators: Mapping[str, Build]
    read: Read
    reads: frozenset[str]
    is_birthday: bool = False


_TEXT_FIELDS = ("id", "source_id", "name", "email", "phone", "description")
_ADDRESS = ("city", "state", "line_1", "line_2", "country", "postal_code")
_REDEMPTIONS = (
    "total_redeemed",
    "total_failed",
    "total_succeeded",
    "total_rolled_back",
    "total_rollback_failed",
    "total_rollback_succeeded",
)
_NUMBERS = {
    **{f"summary.redemptions.{name}": "redemptions" for name in _REDEMPTIONS},
    "summary.redemptions.gift.redeemed_amount": "redemptions",
    "summary.redemptions.gift.amount_to_go": "wallet",
    "summary.redemptions.loyalty_card.redeemed_points": "wallet",
    "summary.redemptions.loyalty_card.points_to_go": "wallet",
    **{
        f"summary.orders.{name}": "orders"
        for name in ("total_amount", "total_count", "average_amount", "last_order_amount")
    },
    "loyalty.points": "wallet",
    "loyalty.referred_customers": "referrals",
}


def _at(path: str) -> Read:
    steps = path.split(".")

    def read(profile: Profile) -> Any:
        found: Any = profile
        for step in steps:
            found = found.get(step) if isinstance(found, dict) else None
        return found

    return read


def _field(name: str, operators: Mapping[str, Build], change: str | None = None) -> Field:
    return Field(operators, _at(name), frozenset({change or name}))


FIELDS: Mapping[str, Field] = {
    **{name: _field(name, OF_TEXT) for name in _TEXT_FIELDS},
    **{f"address.{name}": _field(f"address.{name}", OF_TEXT) for name in _ADDRESS},
    **{name: Field(OF_BIRTHDAY, _at(name), frozenset({name}), is_birthday=True) for name in ("birthdate", "birthday")},
    **{name: _field(name, OF_DATE) for name in ("created_at", "updated_at")},
    **{name: _field(name, OF_NUMBER, change) for name, change in _NUMBERS.items()},
    "summary.orders.last_order_date": _field("summary.orders.last_order_date", OF_DATE, "orders"),
}
PATTERNS = (
    "metadata.<key>",
    "system_metadata.<key>",
    "loyalty_points.campaigns.<campaign>.points",
    "loyalty_tier.campaigns.<campaign>",
    "events.<event>.count",
    "events.<event>.last_date",
)


def field(name: str) -> Field | None:
    """The field of this name; None for one that customers do not have."""
    found = FIELDS.get(name)
    if found is not None:
        return found
    family, _, rest = name.partition(".")
    of_family = _FAMILIES.get(family)
    return of_family(rest) if of_family is not None and rest else None


def _metadata(member: str) -> Callable[[str], Field | None]:
    """A dot leads into nested objects, where no key is written with it."""

    def made(key: str) -> Field | None:
        head = key.partition(".")[0]
        nested = _at(key)

        def read(profile: Profile) -> Any:
            held = profile.get(member) or {}
            return held[key] if key in held else nested(held)

        return Field(OF_ANYTHING, read, frozenset({f"{member}.{key}", f"{member}.{head}"}))

    return made


def _points(rest: str) -> Field | None:
    campaign = _between(rest, "campaigns.", ".points")
    if not campaign:
        return None

    def read(profile: Profile) -> Any:
        return _in_campaign(profile, campaign).get("points")

    return Field(OF_NUMBER, read, frozenset({"wallet"}))


def _tier(rest: str) -> Field | None:
    campaign = _between(rest, "campaigns.", "")
    if not campaign:
        return None

    def read(profile: Profile) -> Any:
        """The id and the name, both of which filters may use."""
        tier = _in_campaign(profile, campaign).get("loyalty_tier")
        name = (profile.get("tier_names") or {}).get(tier)
        return (tier,) if name is None else (tier, name)

    return Field(OF_NAMES, read, frozenset({"tiers"}))


def _in_campaign(profile: Profile, campaign: str) -> Mapping[str, Any]:
    campaigns = (profile.get("loyalty") or {}).get("campaigns") or {}
    found: Mapping[str, Any] = campaigns.get(campaign) or {}
    return found


def _event(rest: str) -> Field | None:
    name, _, member = rest.rpartition(".")
    if not name or member not in ("count", "last_date"):
        return None

    def read(profile: Profile) -> Any:
        found = (profile.get("events") or {}).get(name) or {}
        return found.get(member, 0 if member == "count" else None)

    return Field(OF_NUMBER if member == "count" else OF_DATE, read, frozenset({f"events.{name}"}))


def _between(text: str, start: str, end: str) -> str | None:
    """What stands between two ends; campaigns and events may have dots in their names."""
    inner = text[len(start) : len(text) - len(end)]
    return inner if text == start + inner + end else None


_FAMILIES: Mapping[str, Callable[[str], Field | None]] = {
    "metadata": _metadata("metadata"),
    "system_metadata": _metadata("system_metadata"),
    "loyalty_points": _points,
    "loyalty_tier": _tier,
    "events": _event,
}
