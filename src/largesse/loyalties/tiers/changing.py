"""Changes of a program's tiers, and what they do to its members: at once to the first of them, to the rest in the background.

Until a member's turn has come their tier is the one they had. All hold the locks of the holders whose standing they change.
"""

from collections.abc import Collection, Sequence
from datetime import date

import msgspec
from msgspec import UNSET

import largesse.campaigns.service as campaigns
import largesse.customers.service as customers
import largesse.vouchers.service as vouchers
from largesse.campaigns.model import StoredCampaign
from largesse.engine.calendar import first_day
from largesse.engine.tiers import ByPeriod
from largesse.kernel import definitions
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.model import Done, Job, Kind, Progress
from largesse.kernel.jobs.queue import enqueue
from largesse.loyalties.lookups import existing_program, scheme_of_program
from largesse.loyalties.tiers import service, standing, store
from largesse.loyalties.tiers.model import StoredTier, TierAnswer, TierInput
from largesse.loyalties.tiers.standing import COLLECTED, Change, Member
from largesse.metadata_schemas.service import schemas_of

REDEFINED = "LOYALTIES.TIERS_REDEFINED"
MOST_AT_ONCE = 500  # members that follow in the request's own transaction


def create(unit: Unit, key: str, sent: Sequence[TierInput]) -> list[TierAnswer]:
    """Adds tiers to a program, all or none; members who reach them hold them at once. Raises ApiError 404, 400."""
    campaign = existing_program(unit, key, lock=True)
    made = service.new_tiers(unit, campaign, sent)
    return _changed(unit, campaign, "created", made)


def update(unit: Unit, key: str, tier_id: str, sent: TierInput) -> TierAnswer:
    """Members whose tier has a last day only rise, the others are judged anew (documented). Raises ApiError 404, 400."""
    campaign = existing_program(unit, key, lock=True)
    tier = service.existing(unit, campaign, tier_id)
    held = {*tier.earning_rules, *tier.rewards}
    service.take(tier, sent)
    service.check_mapped(unit, tier, held)
    if sent.metadata is not UNSET:
        schemas_of(unit).check_changed(service.RELATED, sent.metadata, tier.metadata)
    others = [one for one in service.of_campaign(unit.conn, unit.project_id, campaign.id) if one.id != tier.id]
    service.check_apart([*others, tier])
    tier.updated_at = unit.now
    store.save(unit.conn, unit.project_id, tier)
    return _changed(unit, campaign, "updated", [tier])[0]


def delete(unit: Unit, key: str, tier_id: str) -> None:
    """Members lose it at once, for the one that matches their points, if any (documented). Raises ApiError 404."""
    campaign = existing_program(unit, key, lock=True)
    tier = service.existing(unit, campaign, tier_id)
    store.remove(unit.conn, unit.project_id, tier.id)
    _changed(unit, campaign, "deleted", [tier], removed=[tier])


def requalify(unit: Unit, before: StoredCampaign, after: StoredCampaign, *, recalculate: bool) -> None:
    """To be called once a program may say otherwise how its tiers are reached.

    Without `recalculate` members keep their tiers and last days; with it tiers may rise and last days move (documented).
    """
    if recalculate or scheme_of_program(before) != scheme_of_program(after):
        _begin(unit, after.id, How(restructured=False, recalculated=recalculate))


def _changed(
    unit: Unit, campaign: StoredCampaign, what: str, tiers: Sequence[StoredTier], removed: Sequence[StoredTier] = ()
) -> list[TierAnswer]:
    definitions.changed(unit, ("loyalty_tier", definitions.ANY))
    shown = [service.answer(tier) for tier in tiers]
    program = msgspec.to_builtins(campaigns.plain(unit, campaign.id))
    for answer in shown:
        data = {"campaign": program, "loyalty_tier": msgspec.to_builtins(answer)}
        unit.record(f"campaign.loyalty_tier.{what}", campaign.id, data)
    if tiers:
        _begin(unit, campaign.id, How(restructured=True, removed=list(removed)))
    return shown


# What members do about it


class How(msgspec.Struct, frozen=True, kw_only=True):
    """What members are judged anew by: other tiers, some `removed`, another way to reach them, or only what is counted."""

    restructured: bool
    recalculated: bool = False
    removed: list[StoredTier] = []


def _begin(unit: Unit, campaign_id: str, how: How) -> None:
    last = _follow(unit, campaign_id, "", MOST_AT_ONCE, how)[0]
    if last is not None:
        arguments = {"campaign_id": campaign_id, "after": last, "how": msgspec.to_builtins(how)}
        enqueue(unit, REDEFINED, arguments, queue=f"{campaign_id} tiers")


def _step(unit: Unit, job: Job) -> Progress | Done:
    after, how = job.state.get("after", job.arguments["after"]), msgspec.convert(job.arguments["how"], How)
    last, count = _follow(unit, job.arguments["campaign_id"], after, job.batch, how)
    if last is not None:
        return Progress(state={"after": last}, done=job.done + count)
    return Done(result={"done_count": job.done + count})


KINDS = {REDEFINED: Kind(_step)}


def _follow(unit: Unit, campaign_id: str, after: str, most: int, how: How) -> tuple[str | None, int]:
    """Judges the next members anew; answers where to go on, None at the end, and how many there were."""
    project = unit.project
    found = campaigns.by_ids(unit.conn, project.id, [campaign_id]).get(campaign_id)
    mine = vouchers.next_cards(unit.conn, project.id, campaign_id, after, most)
    if found is None or not mine:
        return None, 0
    customers.lock(unit.conn, project.id, {holder for _, holder in mine})
    cards = list(vouchers.load(unit.conn, project, [id for id, _ in mine], lock=True).values())
    tiers = service.of_campaign(unit.conn, project.id, campaign_id)
    program = service.compiled(tiers, scheme_of_program(found), how.removed)
    members = standing.load_as(unit.conn, project, cards, program)
    collected = _collected(unit, members, program)

    def step(member: Member, change: Change, today: date) -> None:
        balance = change.stored.entry.balance
        member.pass_days(balance, today)
        member.recount(collected.get(change.stored.entry.id, 0), today)
        if how.restructured:
            member.restructure(balance, today)
        if how.recalculated:
            member.recalculate(balance, today)

    standing.advance(members, [Change(unit=unit, stored=stored) for stored in cards], step)
    return (mine[-1][0] if len(mine) == most else None), len(mine)


def _collected(unit: Unit, voucher_ids: Collection[str], program: service.Program) -> dict[str, int]:
    """What cards collected in the period of today: the program may have had other periods, or no tiers."""
    scheme = program.ladder.scheme
    if not isinstance(scheme, ByPeriod):
        return {}
    since = unit.project.midnight(first_day(unit.project.day(unit.now), scheme.period))
    return vouchers.points_since(unit.conn, unit.project_id, voucher_ids, COLLECTED, since)
