"""Use cases of loyalty tiers, and what other rooms ask of them."""

import itertools
from collections.abc import Collection, Sequence
from fractions import Fraction

import msgspec
from msgspec import UNSET
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.rewards.assigning as rewards
from largesse.campaigns.model import StoredCampaign
from largesse.engine.earning import Mapped, Multiplied, Replaced
from largesse.engine.money import is_within
from largesse.engine.rewards import PriceMapping
from largesse.engine.tiers import Ladder, Scheme, Tier
from largesse.kernel import clock, definitions, ids, wire
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import invalid_payload, not_found
from largesse.kernel.http.query import Query
from largesse.kernel.project import Project
from largesse.loyalties.earning import store as earning_rules
from largesse.loyalties.lookups import existing_program, scheme_of_program
from largesse.loyalties.tiers import store
from largesse.loyalties.tiers.model import (
    MOST_TIERS,
    ConfigAnswer,
    Mapping,
    PointsAnswer,
    PointsInput,
    StoredTier,
    TierAnswer,
    TierInput,
    TierList,
)
from largesse.metadata_schemas.service import schemas_of

RELATED = "loyalty_tier"
_ORDERS = {name: store.tiers.c[name] for name in ("created_at", "updated_at")}


# What decisions ask


class Program(msgspec.Struct, frozen=True):
    """The tiers of a program as decisions read them, by id. Compiled once per version of the project's definitions."""

    ladder: Ladder
    tiers: dict[str, StoredTier]
    earning: dict[str, dict[str, Mapped]]  # tier id → rule id → what it makes of the rule
    prices: dict[str, dict[str, PriceMapping]]  # tier id → assignment id → what it makes of the price


def programs(conn: Connection, project: Project, campaign_ids: Collection[str]) -> dict[str, Program]:
    """The tiers of programs by campaign id; one without tiers is absent. `project` as `definitions.current` answered."""

    def load(conn: Connection, project_id: str, ids: list[str]) -> dict[str, Program]:
        found: dict[str, list[StoredTier]] = {}
        for tier in store.of_campaigns(conn, project_id, ids):
            found.setdefault(tier.campaign_id, []).append(tier)
        defined = campaigns.by_ids(conn, project_id, found)
        return {id: compiled(found[id], scheme_of_program(campaign)) for id, campaign in defined.items()}

    return definitions.load(conn, project, "loyalty tiers", campaign_ids, load)


def compiled(tiers: Sequence[StoredTier], scheme: Scheme, removed: Sequence[StoredTier] = ()) -> Program:
    return Program(
        ladder=Ladder([_rung(tier) for tier in tiers], scheme, [_rung(tier) for tier in removed]),
        tiers={tier.id: tier for tier in (*tiers, *removed)},
        earning={tier.id: {key: _mapped(one) for key, one in tier.earning_rules.items()} for tier in tiers},
        prices={tier.id: {key: _price(one) for key, one in tier.rewards.items()} for tier in tiers},
    )


def _rung(tier: StoredTier) -> Tier:
    return Tier(tier.id, tier.low, tier.high)


def _mapped(one: Mapping) -> Mapped:
    if one.type == "CUSTOM":
        return Replaced(one.points or 0)
    return Multiplied(Fraction(one.multiplier or 0))


def _price(one: Mapping) -> PriceMapping:
    return PriceMapping(one.type, one.multiplier, one.points)


def of_campaign(conn: Connection, project_id: str, campaign_id: str) -> list[StoredTier]:
    """From the lowest to the highest, as stored now."""
    return store.of_campaigns(conn, project_id, [campaign_id])


def check_exists(unit: Unit, tier_id: str) -> None:
    """Raises ApiError 404."""
    if not store.by_ids(unit.conn, unit.project_id, [tier_id]):
        raise not_found(RELATED, tier_id)


def forget_rule(unit: Unit, campaign_id: str, rule_id: str) -> None:
    """A deleted earning rule takes with it what tiers make of it."""
    for tier in store.of_campaigns(unit.conn, unit.project_id, [campaign_id]):
        if tier.earning_rules.pop(rule_id, None) is not None:
            store.save(unit.conn, unit.project_id, tier)


# The resource


def list_tiers(unit: Unit, key: str, query: Query) -> TierList:
    """Of a program, the newest first. Raises ApiError 404."""
    campaign = existing_program(unit, key)
    order = query.order(_ORDERS, "-created_at", store.tiers.c.id)
    found, total = store.page(unit.conn, unit.project_id, campaign.id, order, limit=query.limit())
    return TierList(data=[answer(tier) for tier in found], total=total)


def get(unit: Unit, key: str, tier_id: str) -> TierAnswer:
    """Raises ApiError 404 for the program or the tier."""
    return answer(existing(unit, existing_program(unit, key), tier_id))


def new_tiers(unit: Unit, campaign: StoredCampaign, sent: Sequence[TierInput]) -> list[StoredTier]:
    """Adds tiers to a program, all or none. Raises ApiError 404, 400 `invalid_payload` where they overlap."""
    held = of_campaign(unit.conn, unit.project_id, campaign.id)
    if len(held) + len(sent) > MOST_TIERS:
        raise invalid_payload(f"A program can have {MOST_TIERS} tiers at most")
    made = []
    for place, one in enumerate(sent):
        tier = StoredTier(
            id=ids.text_id("ltr_"), campaign_id=campaign.id, name="", low=0, high=None, created_at=unit.now
        )
        for name in ("name", "points"):
            if getattr(one, name) is None:
                raise invalid_payload(f"Property [{place}] should have required property '{name}'")
        take(tier, one, f"[{place}]")
        check_mapped(unit, tier, place=f"[{place}]")
        schemas_of(unit).check_new(RELATED, tier.metadata)
        made.append(tier)
    check_apart([*held, *made])
    store.add(unit.conn, unit.project_id, made)
    return made


def take(tier: StoredTier, sent: TierInput, place: str = "") -> None:
    """Lays what was sent over a tier. Raises ApiError 400 `invalid_payload` that names what says nothing possible."""
    if sent.name is not None:
        tier.name = sent.name
    if sent.points is not None:
        tier.low, tier.high = _bounds(sent.points, f"{place}.points")
    if sent.earning_rules is not UNSET:
        tier.earning_rules = _mappings(sent.earning_rules or {}, f"{place}.earning_rules", ("MULTIPLY", "CUSTOM"))
    if sent.rewards is not UNSET:
        kinds = ("MULTIPLY", "CUSTOM", "NOT_AVAILABLE")
        tier.rewards = _mappings(sent.rewards or {}, f"{place}.rewards", kinds)
    if sent.metadata is not UNSET:
        tier.metadata = wire.merge_metadata(tier.metadata, sent.metadata)


def check_mapped(unit: Unit, tier: StoredTier, held: Collection[str] = (), place: str = "") -> None:
    """Raises ApiError 404 where a tier maps a rule or an offer that its program has not: it would never do anything (our decision).

    What is `held` it mapped before, and may be sent again though the offer is gone. 400 where points that pay get a price.
    """
    rule_ids = tier.earning_rules.keys() - held
    if rule_ids and (
        unknown := rule_ids - set(earning_rules.ids_of_campaign(unit.conn, unit.project_id, tier.campaign_id))
    ):
        how = f" in the program: name in {place}.earning_rules the ids of its earning rules, which begin with ern_"
        raise not_found("earning_rule", min(unknown), how)
    offers = {one.id: one for one in rewards.of_program(unit, tier.campaign_id)} if tier.rewards else {}
    for key, one in tier.rewards.items():
        if key not in offers and key not in held:
            how = f" in the program: name in {place}.rewards the ids of its reward assignments, which begin with rewa_"
            raise not_found("reward_assignment", key, how)
        if one.type == "CUSTOM" and key in offers and offers[key].points is None:
            raise invalid_payload(
                f"Property {place}.rewards.{key}.type should be MULTIPLY or NOT_AVAILABLE: points that pay have no price"
            )


def _bounds(sent: PointsInput, place: str) -> tuple[int, int | None]:
    if sent.low is None:
        raise invalid_payload(f"Property {place} should have required property 'from'")
    if sent.high is not None and sent.high < sent.low:
        raise invalid_payload(f"Property {place}.to cannot be lower than from")
    return sent.low, sent.high


def _mappings(sent: dict[str, Mapping], place: str, kinds: Collection[str]) -> dict[str, Mapping]:
    for key, one in sent.items():
        if one.type not in kinds:
            raise invalid_payload(f"Property {place}.{key}.type should be one of {', '.join(kinds)}")
        if one.type == "MULTIPLY" and (one.multiplier is None or not is_within(one.multiplier, 0, 1_000_000)):
            raise invalid_payload(f"Property {place}.{key}.multiplier should be a number from 0 to 1000000")
        if one.type == "CUSTOM" and one.points is None:
            raise invalid_payload(f"Property {place}.{key} should have required property 'points'")
    return sent


def check_apart(tiers: Sequence[StoredTier]) -> None:
    """Raises ApiError 400 where two tiers share a number of points; gaps are allowed (documented)."""
    ordered = sorted(tiers, key=lambda tier: tier.low)
    for lower, higher in itertools.pairwise(ordered):
        if lower.high is None or lower.high >= higher.low:
            raise invalid_payload(
                f"Tiers '{lower.name}' and '{higher.name}' overlap: the points of one tier must end before those of the next begin"
            )


def existing(unit: Unit, campaign: StoredCampaign, tier_id: str) -> StoredTier:
    """Raises ApiError 404."""
    found = store.by_ids(unit.conn, unit.project_id, [tier_id]).get(tier_id)
    if found is None or found.campaign_id != campaign.id:
        raise not_found(RELATED, tier_id)
    return found


def answer(tier: StoredTier) -> TierAnswer:
    points = PointsAnswer(tier.low, tier.high)
    return TierAnswer(
        id=tier.id,
        name=tier.name,
        campaign_id=tier.campaign_id,
        metadata=tier.metadata,
        created_at=clock.iso(tier.created_at),
        updated_at=clock.iso_or_none(tier.updated_at),
        earning_rules=tier.earning_rules,
        rewards=tier.rewards,
        config=ConfigAnswer(points),
        points=points,
    )
