"""What loyalty programs are sent."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from largesse.customers.model import CustomerInput
from largesse.publications.model import Name


class MemberCreate(msgspec.Struct, frozen=True, kw_only=True):
    """Who joins: a customer, described or named by id or source id; with `voucher` by that card (documented)."""

    customer: CustomerInput | Annotated[str, Meta(min_length=1, max_length=1000)]
    voucher: Name | None = None
    channel: Annotated[str, Meta(max_length=255)] | None = None
    source_id: Name | None = None
    metadata: dict[str, Any] | None = None
