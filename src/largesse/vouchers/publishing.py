"""Handing codes to customers: which of a campaign's codes are still free, what a new one is like, what a holder changes."""

from collections.abc import Collection, Sequence

from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
from largesse.campaigns.model import StoredCampaign
from largesse.engine.books import Campaign, Voucher
from largesse.engine.validity import Duration, after
from largesse.kernel import ids
from largesse.kernel.database.unit import Unit
from largesse.vouchers import free, store
from largesse.vouchers.cards import open_wallets
from largesse.vouchers.making import no_free_code, of_campaign, post_initial_credit
from largesse.vouchers.model import DISCOUNT_VOUCHER, StoredVoucher

_ATTEMPTS = 20


def take(unit: Unit, campaign: StoredCampaign, count: int) -> list[StoredVoucher]:
    """`count` codes of a campaign to hand out, locked; fewer where it has no more. An AUTO_UPDATE campaign makes what is missing.

    Rivals pass each other by; only when the pool runs dry is it worth waiting whether one of them lets go of a code. Before that
    everything taken is let go of again, so that no two wait for each other.
    """
    makes = campaign.type == "AUTO_UPDATE"
    savepoint = unit.conn.begin_nested() if count > 1 and not makes else None
    found = free.oldest(unit.conn, unit.project_id, campaign.id, count, unit.now, wait=False)
    if len(found) < count and not makes:
        if savepoint is not None:
            savepoint.rollback()
        return free.oldest(unit.conn, unit.project_id, campaign.id, count, unit.now, wait=True)
    if savepoint is not None:
        savepoint.commit()
    return found + make(unit, campaign, count - len(found))


def campaigns_with_free(conn: Connection, project_id: str, campaign_ids: Collection[str], now: int) -> set[str]:
    """Those of the campaigns that have a code nobody has got yet; one query."""
    return free.campaigns_with_free(conn, project_id, campaign_ids, now)


def sample(campaign: StoredCampaign, parent: Campaign, holder_id: str | None) -> Voucher:
    """A code as this customer would get it, named as its campaign: for decisions only, none is made."""
    entry = of_campaign(campaign)
    entry.id = entry.code = campaign.id
    entry.parent, entry.holder_id = parent, holder_id
    return entry


def make(unit: Unit, campaign: StoredCampaign, count: int) -> list[StoredVoucher]:
    """New codes of a campaign, stored and counted in it. Raises ApiError 400 where its pattern has no free ones left."""
    if count <= 0:
        return []
    campaigns.lock(unit, campaign.id)  # before its tallies, as everybody does who adds codes
    made = []
    for code in _unused_codes(unit, campaign, count):
        entry = of_campaign(campaign)
        entry.code = code
        made.append(
            StoredVoucher(
                entry=entry,
                additional_info=None,
                created_at=unit.now,
                updated_at=None,
                publish_count=0,
                referrer_id=None,
                qr_id=ids.time_uuid(),
                barcode_id=ids.time_uuid(),
            )
        )
    key_of, credits = unit.project.code_key, made[0].entry.gift_amount
    store.insert_all(unit.conn, unit.project_id, [(stored, key_of(stored.entry.code)) for stored in made])
    post_initial_credit(unit, made[0].entry, [stored.entry.id for stored in made])
    campaigns.count_codes(unit, campaign.id, count, credits * count)
    return made


def _unused_codes(unit: Unit, campaign: StoredCampaign, count: int) -> list[str]:
    config = campaign.voucher.code_config if campaign.voucher else None
    assert config is not None  # only a STANDALONE campaign has none, and makes no codes
    found: dict[str, str] = {}
    for _ in range(_ATTEMPTS):
        drawn = {unit.project.code_key(code): code for code in config.batch(count - len(found))}
        for key in store.taken(unit.conn, unit.project_id, drawn):
            del drawn[key]
        found |= drawn
        if len(found) == count:
            return list(found.values())
    raise no_free_code()


def is_shared(stored: StoredVoucher, campaign: StoredCampaign | None) -> bool:
    """Whether many customers may have it: a discount code of no campaign, or of a STANDALONE one (our decision)."""
    return stored.entry.type == DISCOUNT_VOUCHER and (campaign is None or campaign.type == "STANDALONE")


def give(unit: Unit, stored: StoredVoucher, customer_id: str, lifetime: Duration | None) -> None:
    """Makes a customer the holder, in memory. A lifetime counts from now and wins over the campaign's dates (documented)."""
    entry = stored.entry
    entry.holder_id, stored.updated_at = customer_id, unit.now
    stored.publish_count += 1
    if lifetime is not None:
        entry.expiration_date = after(unit.now, lifetime, unit.project.zone)
        if entry.start_date is None or entry.start_date < unit.now:
            entry.start_date = unit.now


def save_given(unit: Unit, given: Sequence[StoredVoucher], *, shared: bool) -> None:
    """Writes what `give` changed. Raises GuardViolation for a code that somebody else has, unless it is a shared one."""
    free.hand_over(unit.conn, unit.project_id, given, once=not shared)


def cards_held(unit: Unit, customer_ids: Collection[str]) -> list[StoredVoucher]:
    """The gift cards and loyalty cards of these customers in one query; a second for those that a midnight has changed."""
    found = free.cards_held(unit.conn, unit.project_id, customer_ids) if customer_ids else []
    today = unit.project.day(unit.now).isoformat()
    due = [stored for stored in found if stored.entry.due_on is not None and stored.entry.due_on <= today]
    open_wallets(unit.conn, unit.project, due, unit.now)
    return found


def forget_holder(unit: Unit, customer_id: str) -> None:
    """Whatever a deleted customer held has no holder; it stays published (documented)."""
    free.forget_holder(unit.conn, unit.project_id, customer_id)


def only_code(unit: Unit, campaign: StoredCampaign) -> StoredVoucher | None:
    """The code of a STANDALONE campaign, locked; None where it has none yet."""
    found = store.of_campaign(unit.conn, unit.project_id, campaign.id, after="", limit=1, binned=False)
    return found[0] if found else None
