"""Publications as sent, stored and shown. Times in microseconds UTC."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from largesse.customers.model import CustomerInput
from largesse.engine.discounts import Discount
from largesse.vouchers.model import GiftAnswer, VoucherAnswer

MOST_AT_ONCE = 50  # codes of one publication (documented)
Name = Annotated[str, Meta(max_length=1000)]
Role = Literal["OWNER", "REFERRER", "REFEREE"]


class CampaignTarget(msgspec.Struct, frozen=True):
    """`name` may be an id as well; `count` codes are published, one by default."""

    name: Name | None = None
    id: Name | None = None
    count: Annotated[int, Meta(ge=1)] | None = None

    @property
    def key(self) -> str | None:
        return self.id or self.name


class PublicationCreate(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets what: a code, or codes of a campaign. With both the code decides (documented)."""

    customer: CustomerInput
    voucher: Name | None = None
    campaign: CampaignTarget | Name | None = None
    channel: Annotated[str, Meta(max_length=255)] | None = None
    source_id: Name | None = None
    metadata: dict[str, Any] | None = None

    @property
    def target(self) -> CampaignTarget | None:
        """The campaign, where one decides."""
        if self.voucher:
            return None
        target = CampaignTarget(self.campaign) if isinstance(self.campaign, str) else self.campaign
        return target if target is not None and target.key else None


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """A publication as stored. `vouchers` are (id, code) of what was handed over; of one that failed, of what was asked for."""

    id: str
    customer_id: str
    tracking_id: str | None = None
    channel: str
    source_id: str | None = None
    metadata: dict[str, Any] = {}
    result: Literal["SUCCESS", "FAILURE"] = "SUCCESS"
    failure_code: str | None = None
    failure_message: str | None = None
    campaign_id: str | None = None
    campaign: str | None = None
    voucher_type: str | None = None
    is_referral_code: bool = False
    vouchers: list[tuple[str, str]] = []
    created_at: int

    @property
    def voucher_id(self) -> str | None:
        return self.vouchers[0][0] if self.vouchers else None

    @property
    def voucher_code(self) -> str | None:
        return self.vouchers[0][1] if self.vouchers else None


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who has which voucher, and since which publication: an entry of a customer's wallet."""

    id: str
    voucher_id: str
    customer_id: str
    role: Role
    campaign_id: str | None = None
    campaign_type: str | None = None
    voucher_type: str
    publication_id: str
    created_at: int


class Recipient(msgspec.Struct, kw_only=True):
    """A customer inside a publication: what is set of name, email, source id and metadata, no statistics (documented)."""

    id: str
    name: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    source_id: str | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    object: str = "customer"


class ListedVoucher(msgspec.Struct, kw_only=True):
    """A voucher inside a list of publications."""

    code: str
    object: str = "voucher"
    campaign: str | None
    discount: Discount | UnsetType = UNSET
    gift: GiftAnswer | UnsetType = UNSET
    loyalty_card: Any = UNSET
    is_referral_code: bool


class _Shown(msgspec.Struct, kw_only=True):
    """`voucher` where one code was published, else the codes in `vouchers`."""

    id: str
    object: str = "publication"
    created_at: str
    customer_id: str
    tracking_id: str | None = None
    metadata: dict[str, Any]
    channel: str
    source_id: str | None
    result: str
    customer: Recipient
    vouchers_id: list[str] | UnsetType = UNSET
    vouchers: list[str] | UnsetType = UNSET


class PublicationAnswer(_Shown, kw_only=True):
    """What publishing answers."""

    voucher: VoucherAnswer | UnsetType = UNSET


class ListedPublication(_Shown, kw_only=True):
    """A row of the list; of a failure it tells why."""

    failure_code: str | UnsetType = UNSET
    failure_message: str | UnsetType = UNSET
    voucher: ListedVoucher | UnsetType = UNSET


class PublicationList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "publications"
    publications: list[ListedPublication]
    total: int
