"""Campaigns as sent, stored and shown. Amounts in minor units, times in microseconds UTC."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from largesse.categories.model import CategoryAnswer
from largesse.engine.discounts import Discount
from largesse.engine.points import ExpirationRules
from largesse.engine.qualification import TiersExpiration
from largesse.engine.validity import Hours, Timeframe, Weekday
from largesse.kernel.benefits import MAX_CREDITS, GiftEffect, GiftInput, Validity
from largesse.kernel.codes import CodeConfig
from largesse.kernel.wire import Instant
from largesse.validation_rules.model import AssignmentList

DISCOUNT_COUPONS = "DISCOUNT_COUPONS"
GIFT_VOUCHERS = "GIFT_VOUCHERS"
PROMOTION = "PROMOTION"
LOYALTY_PROGRAM: Final = "LOYALTY_PROGRAM"
CAMPAIGN_TYPES = (LOYALTY_PROGRAM, GIFT_VOUCHERS, DISCOUNT_COUPONS, PROMOTION, "REFERRAL_PROGRAM")
CampaignType = Literal["LOYALTY_PROGRAM", "GIFT_VOUCHERS", "DISCOUNT_COUPONS", "PROMOTION", "REFERRAL_PROGRAM"]
Kind = Literal["AUTO_UPDATE", "STATIC", "STANDALONE"]
Progress = Literal["DONE", "IN_PROGRESS", "FAILED", "DRAFT", "MODIFYING"]
Name = Annotated[str, Meta(min_length=1, max_length=1000)]
Text = Annotated[str, Meta(max_length=10_000)]
Points = Annotated[int, Meta(ge=0, le=MAX_CREDITS)]
MAX_CODES = 100_000  # of one campaign, made by generation (documented)
MAX_CREDITS_OF_CODES = 10**18  # credits or points of all of them, so that their sums can be stored; our decision


class RedemptionLimit(msgspec.Struct, frozen=True):
    """How often each code may be redeemed; None: without limit."""

    quantity: Annotated[int, Meta(ge=1, le=10**12)] | None = None


class CardInput(msgspec.Struct, frozen=True, kw_only=True):
    """What every card of a loyalty program begins with, in points, and how long points last."""

    points: Points | None = None
    expiration_rules: ExpirationRules | None = None


class CardUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """Absent stays; without rules points never expire."""

    points: Points | None | UnsetType = UNSET
    expiration_rules: ExpirationRules | None | UnsetType = UNSET


class UpdateOptions(msgspec.Struct, frozen=True):
    """`recalculate_tiers`: members are judged anew by changed rules of the program's tiers (documented)."""

    recalculate_tiers: bool | None = None


class TemplateInput(msgspec.Struct, frozen=True, kw_only=True):
    """What every code of a campaign is like, as sent. `code` names the one code of a STANDALONE campaign (our decision)."""

    type: Literal["DISCOUNT_VOUCHER", "GIFT_VOUCHER", "LOYALTY_CARD"] | None = None
    discount: dict[str, Any] | None = None
    gift: GiftInput | None = None
    loyalty_card: CardInput | None = None
    redemption: RedemptionLimit | None = None
    code_config: dict[str, Any] | None = None
    code: str | None = None
    is_referral_code: bool | None = None


class CampaignCreate(Validity, kw_only=True):
    """`active` in a request is ignored: a campaign begins active (documented)."""

    name: Name
    campaign_type: CampaignType | None = None
    type: Kind | None = None
    description: Text | None = None
    join_once: bool | None = None
    auto_join: bool | None = None
    use_voucher_metadata_schema: bool | None = None
    vouchers_count: Annotated[int, Meta(ge=0)] | None = None
    activity_duration_after_publishing: str | None = None
    category: str | None = None
    category_id: str | None = None
    metadata: dict[str, Any] | None = None
    voucher: TemplateInput | None = None
    promotion: dict[str, Any] | None = None
    loyalty_tiers_expiration: TiersExpiration | None = None
    validation_rules: Annotated[list[str], Meta(max_length=1)] | None = None


class CampaignUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """PUT: absent stays, null clears, what cannot change is skipped in silence (documented)."""

    description: Text | None | UnsetType = UNSET
    start_date: Instant | None | UnsetType = UNSET
    expiration_date: Instant | None | UnsetType = UNSET
    validity_timeframe: Timeframe | None | UnsetType = UNSET
    validity_day_of_week: list[Weekday] | None | UnsetType = UNSET
    validity_hours: Hours | None | UnsetType = UNSET
    activity_duration_after_publishing: str | None | UnsetType = UNSET
    category: str | None | UnsetType = UNSET
    category_id: str | None | UnsetType = UNSET
    metadata: dict[str, Any] | None | UnsetType = UNSET
    unset_metadata_fields: list[str] | None = None
    join_once: bool | None | UnsetType = UNSET
    auto_join: bool | None | UnsetType = UNSET
    type: Kind | None | UnsetType = UNSET
    discount: dict[str, Any] | None | UnsetType = UNSET
    gift: GiftInput | None | UnsetType = UNSET
    loyalty_card: CardUpdate | None | UnsetType = UNSET
    loyalty_tiers_expiration: TiersExpiration | None | UnsetType = UNSET
    options: UpdateOptions | None = None


class Template(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What every code of a campaign is like. `code_config` is None in a STANDALONE campaign, whose code is given."""

    type: str
    discount: Discount | None = None
    gift_amount: int | None = None
    gift_effect: GiftEffect | None = None
    points: int | None = None  # of a loyalty card, to begin with
    expiration_rules: ExpirationRules | None = None  # of points, in a loyalty program
    quantity: int | None = None
    code_config: CodeConfig | None = None


class StoredCampaign(Validity, kw_only=True):
    """`metadata` is None where none was ever given. `vouchers_count` counts live codes; the bin does not count."""

    id: str
    name: str
    campaign_type: str
    type: str
    description: str | None = None
    voucher: Template | None = None
    join_once: bool = False
    auto_join: bool = False
    use_voucher_metadata_schema: bool = True
    activity_duration_after_publishing: str | None = None
    loyalty_tiers_expiration: TiersExpiration | None = None
    category_id: str | None = None
    metadata: dict[str, Any] | None = None
    active: bool = True
    vouchers_count: int = 0
    creation_status: Progress = "DONE"
    vouchers_generation_status: Progress = "DONE"
    protected: bool = False
    created_at: int
    updated_at: int | None = None


class GiftShown(msgspec.Struct, omit_defaults=True):
    amount: int
    effect: str | None = None


class CardShown(msgspec.Struct, omit_defaults=True):
    points: int
    expiration_rules: ExpirationRules | None = None


class TemplateShown(msgspec.Struct, kw_only=True):
    """The template with the campaign's validity repeated where it is set (documented)."""

    type: str
    discount: Discount | UnsetType = UNSET
    gift: GiftShown | UnsetType = UNSET
    loyalty_card: CardShown | UnsetType = UNSET
    redemption: RedemptionLimit
    code_config: CodeConfig | UnsetType = UNSET
    is_referral_code: bool = False
    start_date: str | UnsetType = UNSET
    expiration_date: str | UnsetType = UNSET
    validity_timeframe: Timeframe | UnsetType = UNSET
    validity_day_of_week: list[int] | UnsetType = UNSET
    validity_hours: Hours | UnsetType = UNSET


class AccessList(msgspec.Struct, kw_only=True):
    """Areas and stores are not kept: the list is empty."""

    object: str = "list"
    data_ref: str = "data"
    data: list[Any] = []
    total: int = 0


class CampaignAnswer(msgspec.Struct, kw_only=True):
    """What is unset is left out, but for `category_id` (documented). Which parts stand where is `answers`' to say."""

    id: str
    name: str
    description: str | UnsetType = UNSET
    campaign_type: str
    type: str
    voucher: TemplateShown | UnsetType = UNSET
    promotion: Any = UNSET
    loyalty_tiers_expiration: TiersExpiration | UnsetType = UNSET
    auto_join: bool
    join_once: bool
    use_voucher_metadata_schema: bool
    start_date: str | UnsetType = UNSET
    expiration_date: str | UnsetType = UNSET
    validity_timeframe: Timeframe | UnsetType = UNSET
    validity_day_of_week: list[int] | UnsetType = UNSET
    validity_hours: Hours | UnsetType = UNSET
    activity_duration_after_publishing: str | UnsetType = UNSET
    vouchers_count: int | UnsetType = UNSET
    active: bool
    metadata: dict[str, Any] | UnsetType = UNSET
    created_at: str
    updated_at: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    category_id: str | None = None
    categories: list[CategoryAnswer] = []
    creation_status: str
    vouchers_generation_status: str
    protected: bool
    validation_rules_assignments: AssignmentList | UnsetType = UNSET
    access_settings_assignments: AccessList | UnsetType = UNSET
    object: str = "campaign"


class CampaignList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "campaigns"
    campaigns: list[CampaignAnswer]
    total: int


class Accepted(msgspec.Struct, kw_only=True):
    """Work goes on in the background; the async action tells how far it is."""

    async_action_id: str
