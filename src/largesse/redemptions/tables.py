"""Tables of redemptions and of the locks that sessions hold."""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table, Text, text

from largesse.kernel.database.columns import metadata, micros, project_id


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


redemptions = Table(
    "redemptions",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("object", Text, nullable=False),
    micros("date"),
    Column("result", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("customer_id", Text),
    Column("tracking_id", Text),
    Column("metadata", Text),  # JSON
    Column("amount", BigInteger),
    Column("parent_id", Text),
    Column("source_id", Text),
    Column("reason", Text),
    Column("session_key", Text),
    Column("failure_code", Text),
    Column("failure_message", Text),
    Column("order_id", Text),
    Column("order_snapshot", Text),  # JSON of an engine order
    Column("channel_id", Text),
    Column("channel_type", Text, nullable=False),
    Column("related_object_type", Text, nullable=False),
    Column("related_object_id", Text),
    Column("related_object_parent_id", Text),
    Column("voucher_id", Text),
    Column("voucher_code", Text),
    Column("campaign", Text),
    Column("campaign_id", Text),
    Column("promotion_tier_id", Text),
    # What campaigns and tiers sum up: the order before discounts, and what this record took off or gave back, in minor units.
    Column("order_amount", BigInteger),
    Column("discount_amount", BigInteger),
    Column("rollback_id", Text),
    micros("rollback_date", nullable=True),
    Column("rollback_order_mode", Text),
    Column("reward", Text),  # JSON; what a loyalty card was redeemed for
    PrimaryKeyConstraint("project_id", "id"),
    Index("redemptions_by_date", "project_id", "date", "id"),
    Index("redemptions_of_parent", "project_id", "parent_id"),
    Index("redemptions_of_source", "project_id", "source_id"),
    Index("redemptions_of_voucher", "project_id", "voucher_id", "date"),
    Index("redemptions_of_customer", "project_id", "customer_id", "date"),
    Index("redemptions_of_order", "project_id", "order_id"),
    # Partial: a redemption of a code outside campaigns pays nothing for them.
    Index("redemptions_of_campaign", "project_id", "campaign_id", "date", **_where("campaign_id IS NOT NULL")),
    Index("redemptions_of_tier", "project_id", "promotion_tier_id", "date", **_where("promotion_tier_id IS NOT NULL")),
)

# What became of each redeemable of a request, by its redemption: single, parent or failed.
decisions = Table(
    "decisions",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("outcomes", Text, nullable=False),  # JSON, compressed where it is long
    PrimaryKeyConstraint("project_id", "id"),
)

# One row per session and locked redeemable.
locks = Table(
    "session_locks",
    metadata,
    project_id(),
    Column("session_key", Text, nullable=False),
    Column("voucher_id", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    Column("credits", BigInteger, nullable=False),
    micros("expires_at"),
    micros("created_at"),
    PrimaryKeyConstraint("project_id", "session_key", "voucher_id"),
    Index("session_locks_of_voucher", "project_id", "voucher_id"),
)

# What rules count by: one row per sum that is kept beside history.
sums = Table(
    "sums",
    metadata,
    project_id(),
    Column("scope_id", Text, nullable=False),  # a voucher, a promotion tier or a campaign
    Column("name", Text, nullable=False),  # the rest of what tells it from others
    Column("kind", Text, nullable=False),
    Column("series", Text, nullable=False),
    Column("measure", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("customer_id", Text),
    Column("api_key", Text),
    Column("value", BigInteger, nullable=False),
    Column("most", BigInteger),  # what its last growth was held to
    PrimaryKeyConstraint("project_id", "scope_id", "name"),
    Index("sums_ending", "project_id", "until"),
)
