"""Categories as sent, stored and shown: they say which redeemables go together, and which of them comes first."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Hierarchy = Annotated[int, Meta(ge=0, le=1_000_000_000)]


class CategoryInput(msgspec.Struct, frozen=True, kw_only=True):
    """Creation and update both need all of it (documented)."""

    name: Name
    hierarchy: Hierarchy


class StoredCategory(msgspec.Struct, frozen=True, kw_only=True):
    """`hierarchy` >= 0: lower comes first. Times in microseconds UTC."""

    id: str
    name: str
    hierarchy: int
    created_at: int
    updated_at: int | None = None


class CategoryAnswer(msgspec.Struct, kw_only=True):
    """`stacking_rules_type` stands only in the answers of decisions."""

    id: str
    name: str
    hierarchy: int
    created_at: str
    updated_at: str | UnsetType = UNSET
    object: Literal["category"] = "category"
    stacking_rules_type: Literal["JOINT", "EXCLUSIVE"] | UnsetType = UNSET


class CategoryList(msgspec.Struct, kw_only=True):
    object: str = "list"
    data_ref: str = "data"
    data: list[CategoryAnswer]
    total: int
