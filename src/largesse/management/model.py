"""A project's set of stacking rules as kept and shown; its options are part of the project's settings."""

from typing import Any

import msgspec

from largesse.engine.stacking import StackingRules

MAX_CATEGORY_LIMIT = 10  # documented


class StackingRulesRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Who the set is; there is none while the defaults hold. Times in microseconds UTC."""

    id: str
    created_at: int
    updated_at: int | None = None


class StackingRulesAnswer(StackingRules, frozen=True, kw_only=True):
    """The options, named and dated once a set was made."""

    id: str
    created_at: str
    updated_at: str | None = None


class StackingRulesList(msgspec.Struct, kw_only=True):
    """Always exactly one (documented)."""

    object: str = "list"
    data_ref: str = "data"
    data: list[dict[str, Any]]
    total: int = 1
