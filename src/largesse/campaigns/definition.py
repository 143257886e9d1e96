"""What a campaign may be: every part of a definition is checked when it is saved."""

from typing import Any

import msgspec
from msgspec import UnsetType

from largesse.campaigns.model import (
    DISCOUNT_COUPONS,
    GIFT_VOUCHERS,
    LOYALTY_PROGRAM,
    MAX_CODES,
    MAX_CREDITS_OF_CODES,
    PROMOTION,
    CampaignCreate,
    CampaignUpdate,
    CardInput,
    CardUpdate,
    StoredCampaign,
    Template,
    TemplateInput,
)
from largesse.engine.points import ExpirationRules, missing_member
from largesse.engine.qualification import TiersExpiration, scheme_of
from largesse.engine.validity import parse_duration
from largesse.kernel import wire
from largesse.kernel.benefits import (
    VALIDITY,
    GiftInput,
    changed_discount,
    check_validity,
    checked_credits,
    checked_discount,
)
from largesse.kernel.codes import CodeConfig, code_config, invalid_code_config
from largesse.kernel.errors import ApiError, invalid, invalid_payload

_OF_VOUCHER = {
    "DISCOUNT_VOUCHER": DISCOUNT_COUPONS,
    "GIFT_VOUCHER": GIFT_VOUCHERS,
    "LOYALTY_CARD": LOYALTY_PROGRAM,
}
_VOUCHER_OF = {campaign: voucher for voucher, campaign in _OF_VOUCHER.items()}


def new_campaign(sent: CampaignCreate, campaign_id: str, now: int) -> StoredCampaign:
    """The campaign a request describes, category and rules aside.

    Raises ApiError 400 `invalid_campaign`, `invalid_campaign_params`, `invalid_code_config`, `invalid_gift`, `invalid_payload`.
    """
    kind = _campaign_type(sent)
    campaign = StoredCampaign(
        id=campaign_id,
        name=sent.name,
        campaign_type=kind,
        type=sent.type or "STATIC",
        description=sent.description,
        join_once=bool(sent.join_once) or kind == LOYALTY_PROGRAM,  # a customer has one card of a program (documented)
        auto_join=bool(sent.auto_join),
        use_voucher_metadata_schema=sent.use_voucher_metadata_schema is not False and kind != PROMOTION,
        activity_duration_after_publishing=_duration(sent.activity_duration_after_publishing),
        metadata=sent.metadata,
        created_at=now,
        **{name: getattr(sent, name) for name in VALIDITY},
    )
    if kind == PROMOTION:
        if sent.voucher is not None or sent.vouchers_count:
            raise invalid_campaign("A PROMOTION campaign has tiers and no vouchers; give them in 'promotion'")
        campaign.type = "STATIC"
    else:
        campaign.voucher = _template(sent, campaign)
        _check_count(sent.vouchers_count or 0, campaign)
    if campaign.type == "STANDALONE":
        campaign.join_once = False
    if kind == LOYALTY_PROGRAM:
        campaign.loyalty_tiers_expiration = _checked(sent.loyalty_tiers_expiration)
    _check_dates(campaign)
    return campaign


def _campaign_type(sent: CampaignCreate) -> str:
    """The type said, or the one that the voucher or the promotion implies (documented)."""
    implied = PROMOTION if sent.promotion is not None and sent.voucher is None else None
    if sent.voucher is not None:
        implied = _OF_VOUCHER.get(_voucher_type(sent.voucher))
    kind = sent.campaign_type or implied
    if sent.voucher is not None and sent.voucher.is_referral_code:
        kind = "REFERRAL_PROGRAM"
    if kind is None:
        raise invalid_campaign("A campaign needs a 'voucher' with its discount, gift or loyalty_card, or a 'promotion'")
    if kind != PROMOTION and kind not in _VOUCHER_OF:
        raise invalid_campaign(
            f"Campaigns of type {kind} are not available in this version; use {', '.join(_VOUCHER_OF)} or {PROMOTION}"
        )
    if kind == LOYALTY_PROGRAM and sent.voucher is None:
        return kind  # its cards begin without points
    if kind != PROMOTION and implied != kind:
        part = {DISCOUNT_COUPONS: "discount", GIFT_VOUCHERS: "gift"}.get(kind, "loyalty_card")
        raise invalid_campaign(f"Property '{part}' is required for {kind} campaign")
    return kind


def _voucher_type(voucher: TemplateInput) -> str:
    values = {"DISCOUNT_VOUCHER": voucher.discount, "GIFT_VOUCHER": voucher.gift, "LOYALTY_CARD": voucher.loyalty_card}
    given = [kind for kind, value in values.items() if value is not None]
    if voucher.type is not None:
        if given and given != [voucher.type]:
            raise invalid_campaign("The voucher's type and its discount or gift contradict each other")
        return voucher.type
    return given[0] if len(given) == 1 else ""


def _template(sent: CampaignCreate, campaign: StoredCampaign) -> Template:
    voucher = sent.voucher or TemplateInput()
    if campaign.campaign_type == DISCOUNT_COUPONS:
        if voucher.discount is None:
            raise invalid_campaign(f"Property 'discount' is required for {DISCOUNT_COUPONS} campaign")
        template = Template(type="DISCOUNT_VOUCHER", discount=checked_discount(voucher.discount, ".voucher.discount"))
    elif campaign.campaign_type == LOYALTY_PROGRAM:
        if campaign.type == "STANDALONE":
            raise invalid_campaign("A LOYALTY_PROGRAM campaign has a card for each customer; use STATIC or AUTO_UPDATE")
        card = voucher.loyalty_card or CardInput()
        check_rules(card.expiration_rules, ".voucher.loyalty_card.expiration_rules")
        template = Template(type="LOYALTY_CARD", points=card.points or 0, expiration_rules=card.expiration_rules)
    else:
        gift = voucher.gift or GiftInput()
        template = Template(type="GIFT_VOUCHER", gift_amount=checked_credits(gift), gift_effect=gift.effect)
    template.quantity = voucher.redemption.quantity if voucher.redemption else None
    if campaign.type != "STANDALONE":
        template.code_config = code_config(voucher.code_config, ".voucher.code_config")
    return template


def _check_count(count: int, campaign: StoredCampaign) -> None:
    if campaign.type == "STANDALONE":
        if count > 1:
            raise invalid_campaign("A STANDALONE campaign has one code")
        return
    assert campaign.voucher is not None
    assert campaign.voucher.code_config is not None
    check_room(count, campaign.voucher.code_config, campaign)


def check_room(count: int, config: CodeConfig, campaign: StoredCampaign) -> None:
    """Raises ApiError 400 where `count` more codes would be too many for the campaign, for its sums or for the pattern."""
    held, template = campaign.vouchers_count, campaign.voucher or Template(type="DISCOUNT_VOUCHER")
    if held + count > MAX_CODES:
        raise invalid_campaign_params(f"A campaign can have {MAX_CODES} generated codes at most; this one has {held}")
    if (held + count) * (template.gift_amount or template.points or 0) > MAX_CREDITS_OF_CODES:
        raise invalid_campaign_params(
            f"The codes of a campaign can hold {MAX_CREDITS_OF_CODES} at most in all; make fewer, or smaller ones"
        )
    if count > config.capacity:
        raise invalid_code_config(
            f"The pattern makes {config.capacity} different codes, fewer than the {count} asked for; "
            "use more # characters or a larger charset"
        )


def take(campaign: StoredCampaign, sent: CampaignUpdate) -> set[str]:
    """Lays an update over a campaign, category aside; answers which members changed that codes may follow.

    Raises ApiError 400 as `new_campaign` does, and `invalid_voucher` for another discount type.
    """
    before = {name: getattr(campaign, name) for name in campaign.__struct_fields__}
    for name in (*VALIDITY, "description"):
        if (value := getattr(sent, name)) is not msgspec.UNSET:
            setattr(campaign, name, value)
    if sent.activity_duration_after_publishing is not msgspec.UNSET:
        campaign.activity_duration_after_publishing = _duration(sent.activity_duration_after_publishing)
    if sent.metadata:
        campaign.metadata = wire.merge_metadata(campaign.metadata or {}, sent.metadata)
    if sent.unset_metadata_fields:
        campaign.metadata = wire.without_fields(campaign.metadata or {}, sent.unset_metadata_fields)
    if isinstance(sent.join_once, bool) and campaign.type != "STANDALONE" and campaign.campaign_type != LOYALTY_PROGRAM:
        campaign.join_once = sent.join_once
    if isinstance(sent.auto_join, bool):
        campaign.auto_join = sent.auto_join
    if sent.loyalty_tiers_expiration is not msgspec.UNSET and campaign.campaign_type == LOYALTY_PROGRAM:
        campaign.loyalty_tiers_expiration = _checked(sent.loyalty_tiers_expiration)
    _take_type(campaign, sent.type)
    _take_template(campaign, sent)
    _check_dates(campaign)
    changed = {name for name, value in before.items() if getattr(campaign, name) != value}
    if before["voucher"] is not None and campaign.voucher is not None:
        rules = campaign.voucher.expiration_rules
        if campaign.voucher == msgspec.structs.replace(before["voucher"], expiration_rules=rules):
            changed.discard("voucher")  # how long points last is read when they are earned; cards have nothing of it
    return changed


def _take_type(campaign: StoredCampaign, kind: Any) -> None:
    if not isinstance(kind, str) or kind == campaign.type or campaign.campaign_type == PROMOTION:
        return
    if "STANDALONE" in (kind, campaign.type):
        raise invalid_campaign("The type of a campaign cannot be changed to or from STANDALONE")
    campaign.type = kind


def _take_template(campaign: StoredCampaign, sent: CampaignUpdate) -> None:
    template = campaign.voucher
    if template is None:
        return
    if isinstance(sent.discount, dict) and template.discount is not None:
        discount = changed_discount(template.discount, sent.discount)
        campaign.voucher = msgspec.structs.replace(template, discount=discount)
    if isinstance(sent.gift, GiftInput) and template.gift_amount is not None:
        campaign.voucher = msgspec.structs.replace(template, gift_effect=sent.gift.effect)
    if isinstance(sent.loyalty_card, CardUpdate) and template.points is not None:
        card = sent.loyalty_card
        rules = template.expiration_rules if isinstance(card.expiration_rules, UnsetType) else card.expiration_rules
        check_rules(rules, ".loyalty_card.expiration_rules")
        points = card.points if isinstance(card.points, int) else template.points
        campaign.voucher = msgspec.structs.replace(template, points=points, expiration_rules=rules)


def check_rules(rules: ExpirationRules | None, place: str) -> None:
    """Raises ApiError 400 `invalid_payload` for rules that do not say when points expire."""
    if rules is not None and (name := missing_member(rules)) is not None:
        raise invalid_payload(f"Property {place} should have required property '{name}'")


def _checked(sent: TiersExpiration | None) -> TiersExpiration | None:
    try:
        scheme_of(sent)
    except ValueError as error:
        raise invalid_payload(f"Property .loyalty_tiers_expiration{error}") from None
    return sent


def _check_dates(campaign: StoredCampaign) -> None:
    if (
        campaign.start_date is not None
        and campaign.expiration_date is not None
        and campaign.start_date > campaign.expiration_date
    ):
        raise invalid_campaign_params("start_date cannot be later than expiration_date")
    check_validity(campaign)


def _duration(text: Any) -> str | None:
    if not isinstance(text, str):
        return None
    try:
        if parse_duration(text).rough_seconds <= 0:
            raise ValueError(text)
    except ValueError:
        raise invalid_payload(
            "Property .activity_duration_after_publishing should be an ISO 8601 duration such as P24D"
        ) from None
    return text


def invalid_campaign(details: str) -> ApiError:
    return invalid("invalid_campaign", "Invalid campaign", details)


def invalid_campaign_params(details: str) -> ApiError:
    return invalid("invalid_campaign_params", "Invalid campaign params", details)
