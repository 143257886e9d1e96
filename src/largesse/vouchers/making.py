"""Making vouchers: from what a request says, and from what its campaign says where the request is silent."""

from collections.abc import Sequence

import largesse.campaigns.service as campaigns
import largesse.categories.service as categories
import largesse.validation_rules.service as validation_rules
from largesse.campaigns.model import StoredCampaign
from largesse.engine.books import Voucher
from largesse.kernel import codes, ids, ledger, wire
from largesse.kernel.benefits import VALIDITY, check_validity, checked_credits, checked_discount, invalid_voucher
from largesse.kernel.codes import CodeConfig, code_config, invalid_code_config
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, duplicate_found, invalid
from largesse.metadata_schemas.service import schemas_of
from largesse.vouchers import store
from largesse.vouchers.model import (
    DISCOUNT_VOUCHER,
    GIFT_VOUCHER,
    LOYALTY_CARD,
    StoredVoucher,
    VoucherCreate,
)

_ATTEMPTS = 20


def new_voucher(unit: Unit, sent: VoucherCreate, code: str | None) -> StoredVoucher:
    """Makes and stores a voucher, in the campaign that the request names or in none; its code from the path, the body or chance.

    Raises ApiError 409 `duplicate_found`, 404 for what it refers to, 400 `invalid_voucher`, `invalid_gift`, `invalid_code_config`,
    `invalid_campaign`.
    """
    wanted = code if code is not None else sent.code
    named = sent.campaign_id or sent.campaign
    campaign = campaigns.find(unit, named, lock=True) if named else None
    if campaign is not None:
        entry = _in_campaign(sent, campaign, wanted)
    else:
        entry = _on_its_own(sent)
    if sent.category_id or sent.category:
        entry.category_id = categories.resolve(unit, sent.category_id, sent.category)
    schemas_of(unit).check_new("voucher", entry.metadata)
    entry.rule_ids = list(dict.fromkeys(sent.validation_rules or ()))
    check_validity(entry)
    if wanted is None:
        template = campaign.voucher.code_config if campaign and campaign.voucher else None
        config = code_config(sent.code_config) if sent.code_config is not None or template is None else template
        entry.code = free_code(unit, config)
    else:
        entry.code = given_code(unit, wanted)
    return add(unit, entry, sent.additional_info)


def add(unit: Unit, entry: Voucher, additional_info: str | None) -> StoredVoucher:
    """Stores a new voucher with its initial credit and its rules, and counts it in its campaign."""
    stored = StoredVoucher(
        entry=entry,
        additional_info=additional_info,
        created_at=unit.now,
        updated_at=None,
        publish_count=0,
        referrer_id=None,
        qr_id=ids.time_uuid(),
        barcode_id=ids.time_uuid(),
    )
    store.insert(unit.conn, unit.project_id, stored, unit.project.code_key(entry.code))
    post_initial_credit(unit, entry, [entry.id])
    validation_rules.assign(unit, entry.rule_ids, "voucher", entry.id)
    if entry.campaign_id is not None:
        campaigns.count_codes(unit, entry.campaign_id, 1, entry.gift_amount)
    return stored


def post_initial_credit(unit: Unit, model: Voucher, voucher_ids: Sequence[str]) -> None:
    """Of new gift cards that are all as `model`. The points of a loyalty card wait until it has a holder."""
    if model.type == GIFT_VOUCHER and model.gift_amount:
        ledger.post(
            unit.conn,
            unit.project_id,
            [ledger.Entry(ledger.GIFT_CREDITS, id, model.gift_amount, "creation", id, unit.now) for id in voucher_ids],
        )


def of_campaign(campaign: StoredCampaign) -> Voucher:
    """A voucher as its campaign has them, still without a code. Its dates are a copy: its own from now on (documented)."""
    template = campaign.voucher
    if template is None:
        raise invalid("invalid_campaign", "Invalid campaign", "A PROMOTION campaign has tiers and no vouchers.")
    return Voucher(
        id=ids.text_id("v_", 32),
        code="",
        type=template.type,
        discount=template.discount,
        gift_amount=template.points or template.gift_amount or 0,
        gift_effect=template.gift_effect,
        quantity=template.quantity,
        campaign=campaign.name,
        campaign_id=campaign.id,
        category_id=campaign.category_id,
        metadata=dict(campaign.metadata or {}) if campaign.use_voucher_metadata_schema else {},
        **{name: getattr(campaign, name) for name in VALIDITY},
    )


def _on_its_own(sent: VoucherCreate) -> Voucher:
    kind = _type_of(sent)
    entry = Voucher(
        id=ids.text_id("v_", 32),
        code="",
        type=kind,
        quantity=sent.redemption.quantity if sent.redemption else None,
        active=sent.active is not False,
        metadata=sent.metadata or {},
        **{name: getattr(sent, name) for name in VALIDITY},
    )
    _take_value(entry, sent)
    return entry


def _in_campaign(sent: VoucherCreate, campaign: StoredCampaign, code: str | None) -> Voucher:
    """What the campaign says, overlaid by what the request says."""
    entry = of_campaign(campaign)
    check_standalone(campaign, code)
    values = {DISCOUNT_VOUCHER: sent.discount, GIFT_VOUCHER: sent.gift, LOYALTY_CARD: sent.loyalty_card}
    said = {kind for kind, value in values.items() if value is not None} | ({sent.type} if sent.type else set())
    if said - {entry.type}:
        raise invalid_voucher(f"A voucher of this campaign is of type {entry.type}")
    _take_value(entry, sent)
    for name in VALIDITY:
        if (value := getattr(sent, name)) is not None:
            setattr(entry, name, value)
    if sent.redemption is not None:
        entry.quantity = sent.redemption.quantity
    if sent.active is not None:
        entry.active = sent.active
    if sent.metadata:
        entry.metadata = wire.merge_metadata(entry.metadata, sent.metadata)
    return entry


def check_standalone(campaign: StoredCampaign, code: str | None) -> None:
    """Refuses all but the one given code of a STANDALONE campaign: 400 `invalid_campaign` (documented)."""
    if campaign.type != "STANDALONE":
        return
    if code is None:
        raise campaigns.standalone_refusal()
    if campaign.vouchers_count:
        raise invalid("invalid_campaign", "Invalid campaign", "A STANDALONE campaign has one code, and has it already.")


def _take_value(entry: Voucher, sent: VoucherCreate) -> None:
    if sent.discount is not None:
        entry.discount = checked_discount(sent.discount)
    if sent.gift is not None and (sent.gift.amount is not None or entry.campaign_id is None):
        entry.gift_amount = checked_credits(sent.gift)
    if sent.gift is not None and sent.gift.effect is not None:
        entry.gift_effect = sent.gift.effect
    if sent.loyalty_card is not None and sent.loyalty_card.points is not None:
        entry.gift_amount = sent.loyalty_card.points


def _type_of(sent: VoucherCreate) -> str:
    """The type said, or the one its value object implies. Raises ApiError 400 `invalid_voucher` where they disagree."""
    values = {DISCOUNT_VOUCHER: sent.discount, GIFT_VOUCHER: sent.gift, LOYALTY_CARD: sent.loyalty_card}
    given = [kind for kind, value in values.items() if value is not None]
    if LOYALTY_CARD in given or sent.type == LOYALTY_CARD:
        raise invalid_voucher("A loyalty card belongs to a loyalty program: name its campaign")
    if len(given) != 1 or (sent.type is not None and sent.type != given[0]):
        raise invalid_voucher(
            "A voucher has exactly one of discount and gift, fitting its type (DISCOUNT_VOUCHER or GIFT_VOUCHER)"
        )
    return given[0]


def given_code(unit: Unit, code: str) -> str:
    """A code as it is stored. Raises ApiError 409 where a voucher has it, in the bin or not, 400 for what is no code."""
    cleaned = codes.clean(code)
    if store.is_taken(unit.conn, unit.project_id, unit.project.code_key(cleaned)):
        raise duplicate_found("voucher", cleaned)
    return cleaned


def free_code(unit: Unit, config: CodeConfig) -> str:
    """A generated code that nobody has. Raises ApiError 400 `invalid_code_config` when the pattern's codes are used up."""
    for _ in range(1 if config.capacity == 1 else _ATTEMPTS):
        code = config.generate()
        if not store.is_taken(unit.conn, unit.project_id, unit.project.code_key(code)):
            return code
    raise no_free_code()


def no_free_code() -> ApiError:
    return invalid_code_config("The pattern has no free code left: use more # characters or a larger charset")
