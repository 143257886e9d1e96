"""The codes of a campaign: adding them one by one or by the thousand, following its changes, going with it."""

from collections.abc import Callable
from typing import Any

import msgspec

import largesse.bin.service as bin
import largesse.campaigns.service as campaigns
import largesse.categories.service as categories
import largesse.validation_rules.service as validation_rules
import largesse.wallets.service as wallets
from largesse.campaigns.definition import check_room
from largesse.campaigns.model import Accepted, CampaignCreate, StoredCampaign
from largesse.engine.books import Voucher
from largesse.kernel import clock, ids, wire
from largesse.kernel.benefits import VALIDITY, check_validity
from largesse.kernel.codes import CodeConfig, code_config
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs.model import Done, Job, Kind, Progress
from largesse.kernel.jobs.queue import enqueue
from largesse.metadata_schemas.service import schemas_of
from largesse.vouchers import store
from largesse.vouchers.cards import drop_pending
from largesse.vouchers.making import (
    add,
    check_standalone,
    free_code,
    given_code,
    no_free_code,
    of_campaign,
    post_initial_credit,
)
from largesse.vouchers.model import CampaignVoucher, Forget, StoredVoucher, VoucherAnswer
from largesse.vouchers.service import record, shown

GENERATE = "CAMPAIGN.VOUCHERS_GENERATE"
_MOST_MISSES = 20  # slices in a row that find hardly a free code; our decision
_HARDLY = 100  # fewer than one in so many


# One by one


def add_code(unit: Unit, key: str, sent: CampaignVoucher, base_url: str, *, code: str | None = None) -> VoucherAnswer:
    """One more code, given or generated. Raises ApiError 404, 409 for a code that is taken, 400 `invalid_campaign`."""
    campaign = campaigns.find(unit, key, lock=True)
    check_standalone(campaign, code)
    entry = _overlaid(unit, campaign, sent)
    schemas_of(unit).check_new("voucher", entry.metadata)
    entry.code = free_code(unit, _config(campaign, sent)) if code is None else given_code(unit, code)
    made = shown(unit, add(unit, entry, sent.additional_info), base_url)
    record(unit, "voucher.created", made)
    return made


def add_codes(unit: Unit, key: str, sent: CampaignVoucher, count: int) -> Accepted:
    """Many generated codes, in the background. Raises ApiError 404, 400 `invalid_campaign`, `invalid_code_config`."""
    campaign = campaigns.find(unit, key, lock=True)
    check_standalone(campaign, None)
    # What cannot be is refused now, not in the background.
    schemas_of(unit).check_new("voucher", _overlaid(unit, campaign, sent).metadata)
    check_room(count, _config(campaign, sent), campaign)
    campaigns.set_progress(unit, campaign, generation="IN_PROGRESS")
    unit.record("campaign.vouchers.generation.started", campaign.id, {"campaign": {"id": campaign.id}})
    return Accepted(async_action_id=_enqueue(unit, campaign, sent, count))


def _enqueue(unit: Unit, campaign: StoredCampaign, sent: CampaignVoucher, count: int) -> str:
    arguments = {"campaign_id": campaign.id, "voucher": msgspec.to_builtins(sent, enc_hook=clock.iso)}
    return enqueue(unit, GENERATE, arguments, queue=campaign.id, total=count)


def _overlaid(unit: Unit, campaign: StoredCampaign, sent: CampaignVoucher) -> Voucher:
    """A voucher of the campaign with what the request says of it, still without a code."""
    entry = of_campaign(campaign)
    if sent.category_id or sent.category:
        entry.category_id = categories.resolve(unit, sent.category_id, sent.category)
    if sent.metadata:
        entry.metadata = wire.merge_metadata(entry.metadata, sent.metadata)
    if sent.redemption is not None:
        entry.quantity = sent.redemption.quantity
    entry.start_date = sent.start_date if sent.start_date is not None else entry.start_date
    entry.expiration_date = sent.expiration_date if sent.expiration_date is not None else entry.expiration_date
    check_validity(entry)
    return entry


def _config(campaign: StoredCampaign, sent: CampaignVoucher) -> CodeConfig:
    template = campaign.voucher.code_config if campaign.voucher else None
    return code_config(sent.code_config) if sent.code_config is not None or template is None else template


# By the thousand


def generate(unit: Unit, job: Job) -> Progress | Done:
    """One slice of codes. Those that others have are made anew by later slices, until hardly a free one is left."""
    found = campaigns.by_ids(unit.conn, unit.project_id, [job.arguments["campaign_id"]])
    campaign = found.get(job.arguments["campaign_id"])
    if campaign is None:  # deleted meanwhile
        return Done(result={"message": f"Generated {job.done} vouchers.", "done_count": job.done}, success=False)
    sent = wire.convert(job.arguments["voucher"], CampaignVoucher)
    wanted = min(job.batch, job.total - job.done)
    made = _insert(unit, _overlaid(unit, campaign, sent), sent.additional_info, _config(campaign, sent), wanted)
    done = job.done + made
    if done < job.total:
        misses = job.state.get("misses", 0) + 1 if made * _HARDLY < wanted else 0
        if misses == _MOST_MISSES:
            raise no_free_code()
        return Progress(state={"misses": misses}, done=done)
    campaigns.set_progress(unit, campaign, creation="DONE", generation="DONE")
    unit.record("campaign.vouchers.generation.completed", campaign.id, {"campaign": {"id": campaign.id}})
    return Done(result={"message": f"Generated {done} vouchers.", "done_count": done})


def _insert(unit: Unit, entry: Voucher, additional_info: str | None, config: CodeConfig, count: int) -> int:
    """Up to `count` new codes that are as `entry`; answers how many of them nobody had."""
    key_of = unit.project.code_key
    by_key = {key_of(code): code for code in config.batch(count)}
    for key in store.taken(unit.conn, unit.project_id, by_key):
        del by_key[key]
    rows = [(ids.text_id("v_", 32), code, key, ids.time_uuid(), ids.time_uuid()) for key, code in by_key.items()]
    model = StoredVoucher(
        entry=entry,
        additional_info=additional_info,
        created_at=unit.now,
        updated_at=None,
        publish_count=0,
        referrer_id=None,
        qr_id="",
        barcode_id="",
    )
    store.insert_alike(unit.conn, unit.project_id, model, rows)
    post_initial_credit(unit, entry, [row[0] for row in rows])
    if entry.campaign_id is not None:
        campaigns.count_codes(unit, entry.campaign_id, len(rows), entry.gift_amount * len(rows))
    return len(rows)


def _given_up(unit: Unit, job: Job, _message: str) -> None:
    """What was made stays (our decision)."""
    for campaign in campaigns.by_ids(unit.conn, unit.project_id, [job.arguments["campaign_id"]]).values():
        campaigns.set_progress(unit, campaign, generation="FAILED")
        unit.record("campaign.vouchers.generation.failed", campaign.id, {"campaign": {"id": campaign.id}})


KINDS = {GENERATE: Kind(generate, _given_up)}


# With their campaign


Reconfigured = Callable[[Unit, StoredCampaign, StoredCampaign, bool], None]  # (unit, before, after, recalculate tiers)


def _nothing_more(_unit: Unit, _before: StoredCampaign, _after: StoredCampaign, _recalculate_tiers: bool) -> None:
    """Coupons and gift cards are what they are."""


class CodeHoldings:
    """Campaigns of discount codes, gift cards and loyalty cards hold codes.

    `forget` lets go of what rooms above keep of those deleted; `reconfigured` is what they do about a changed campaign.
    """

    def __init__(self, forget: Forget, reconfigured: Reconfigured = _nothing_more) -> None:
        self._forget = forget
        self._reconfigured = reconfigured

    def begin(self, unit: Unit, campaign: StoredCampaign, sent: CampaignCreate) -> None:
        count, voucher = sent.vouchers_count or 0, sent.voucher
        if campaign.type == "STANDALONE":
            if count and voucher is not None:
                entry = of_campaign(campaign)
                code, config = voucher.code, voucher.code_config
                entry.code = given_code(unit, code) if code else free_code(unit, code_config(config))
                add(unit, entry, None)
        elif count == 1:
            entry = of_campaign(campaign)
            entry.code = free_code(unit, _config(campaign, CampaignVoucher()))
            add(unit, entry, None)
        elif count:
            _enqueue(unit, campaign, CampaignVoucher(), count)
            campaign.creation_status = campaign.vouchers_generation_status = "IN_PROGRESS"

    def shown(self, _unit: Unit, _campaign: StoredCampaign) -> dict[str, Any]:
        return {}  # the campaign itself shows its template and how many codes it has

    def change(
        self, unit: Unit, campaign: StoredCampaign, after: str, batch: int, unset: list[str]
    ) -> tuple[int, str | None]:
        """Published and redeemed codes keep their values (documented)."""
        found = store.of_campaign(unit.conn, unit.project_id, campaign.id, after=after, limit=batch, binned=False)
        fresh = [one for one in found if not one.publish_count and not one.entry.redeemed_quantity]
        for stored in fresh:
            _follow(stored, campaign, unset)
            stored.updated_at = unit.now
        store.save_all(unit.conn, unit.project_id, fresh)
        return len(fresh), found[-1].entry.id if len(found) == batch else None

    def reconfigured(
        self, unit: Unit, before: StoredCampaign, after: StoredCampaign, *, recalculate_tiers: bool
    ) -> None:
        self._reconfigured(unit, before, after, recalculate_tiers)

    def take_away(self, unit: Unit, campaign_id: str, batch: int, *, force: bool) -> int:
        found = store.of_campaign(unit.conn, unit.project_id, campaign_id, after="", limit=batch, binned=force)
        voucher_ids = [stored.entry.id for stored in found]
        self._forget(unit, voucher_ids)
        if force:
            store.remove(unit.conn, unit.project_id, voucher_ids)
            wallets.remove(unit.conn, unit.project_id, voucher_ids)
            validation_rules.remove_assignments(unit, "voucher", voucher_ids)
            bin.forget(unit, "voucher", voucher_ids)
        else:
            store.put_in_bin(unit.conn, unit.project_id, voucher_ids, unit.now)
            drop_pending(unit, found)
            bin.put_all(unit, "voucher", [(one.entry.id, one.entry.code) for one in found], campaign_id)
        return len(found)


def _follow(stored: StoredVoucher, campaign: StoredCampaign, unset: list[str]) -> None:
    entry, template = stored.entry, campaign.voucher
    for name in VALIDITY:
        setattr(entry, name, getattr(campaign, name))
    entry.category_id = campaign.category_id
    if template is not None:
        entry.discount, entry.gift_effect = template.discount, template.gift_effect
        if template.points is not None:
            entry.gift_amount = template.points  # of a card that nobody has had yet: no bucket holds it
    if campaign.use_voucher_metadata_schema:
        entry.metadata = wire.without_fields(wire.merge_metadata(entry.metadata, campaign.metadata or {}), unset)
