"""Custom events and their definitions, as sent, stored and shown. Times in microseconds UTC."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from largesse.customers.model import CustomerInput, SimpleCustomer

Name = Annotated[str, Meta(min_length=1, max_length=300)]
Key = Annotated[str, Meta(min_length=1, max_length=255)]

MOST_PROPERTIES = 100  # as of metadata schemas; our decision


class Property(msgspec.Struct, frozen=True, kw_only=True):
    """What one key of an event's metadata holds; another type may be given at any time (documented)."""

    type: Literal["string", "number", "date", "datetime", "boolean"]
    optional: bool = True
    deleted: bool = False


class Properties(msgspec.Struct, frozen=True):
    properties: dict[Key, Property] = {}


class DefinitionCreate(msgspec.Struct, frozen=True, kw_only=True):
    name: Name
    schema: Properties


class DefinitionUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """Properties to add or to replace; those that are not sent stay (documented). The name stays."""

    schema: Properties | None = None


class StoredDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of events."""

    id: str
    name: str
    properties: dict[str, Property]
    created_at: int
    updated_at: int | None = None


class DefinitionAnswer(msgspec.Struct, kw_only=True):
    id: str
    name: str
    schema: Properties
    created_at: str
    updated_at: str | UnsetType = UNSET
    object: str = "custom-event-schema"


class DefinitionList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[DefinitionAnswer]
    total: int


class ReferralInput(msgspec.Struct, frozen=True, omit_defaults=True):
    """By whose code the customer came."""

    code: str | None = None
    referrer_id: str | None = None


class LoyaltyInput(msgspec.Struct, frozen=True, omit_defaults=True):
    """The card that alone may earn from the event."""

    code: str | None = None


class EventInput(msgspec.Struct, frozen=True, kw_only=True):
    """The customer is created or updated as anywhere else."""

    event: Name
    customer: CustomerInput | None = None
    referral: ReferralInput | None = None
    loyalty: LoyaltyInput | None = None
    metadata: dict[str, Any] | None = None


class CustomEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as stored; what reactions to `customer.custom_event` are given as `about`.

    `loyalty_code` narrows what it earns to one card. `feeds_programs` is false for an event from the client side of a project that
    does not let those earn points or convert referrals.
    """

    id: str
    name: str
    schema_id: str
    customer_id: str
    metadata: dict[str, Any]
    loyalty_code: str | None = None
    referral: ReferralInput | None = None
    created_at: int
    feeds_programs: bool = True


class EventAnswer(msgspec.Struct, kw_only=True):
    """`type` is the event's name; `referral` and `loyalty` are always null (documented)."""

    type: str
    customer: SimpleCustomer
    referral: None = None
    loyalty: None = None
    metadata: dict[str, Any] | UnsetType = UNSET
    object: str = "event"


class Occurrences(msgspec.Struct, frozen=True):
    """How often a customer's events of one name happened, and when last."""

    count: int
    last_at: int
