"""The tables of vouchers and of the transactions of their credit and points."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from largesse.kernel.database.columns import metadata, micros, project_id

# Most codes of a campaign have neither: indexes that leave those out make generating them cheaper.
_HELD, _SORTED = text("holder_id IS NOT NULL"), text("category_id IS NOT NULL")
_DUE = text("due_on IS NOT NULL AND holder_id IS NOT NULL AND deleted_at IS NULL")  # cards that time will change
OF_CREDIT = text("holder_id IS NOT NULL AND type <> 'DISCOUNT_VOUCHER'")
# What may still be handed out. Constants only: both stores use a partial index where a statement repeats its condition.
FREE = text("active AND publish_count = 0 AND redeemed_quantity = 0 AND deleted_at IS NULL AND campaign_id IS NOT NULL")
WITHOUT_CAMPAIGN_AND_RULES = text("campaign_id IS NULL AND rule_ids = '[]'")
vouchers = Table(
    "vouchers",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("code_key", Text, nullable=False),  # as compared: folded where the project's codes ignore case
    Column("type", Text, nullable=False),
    Column("discount", Text),  # JSON
    Column("gift_effect", Text),
    Column("gift_amount", BigInteger, nullable=False),
    Column("subtracted_amount", BigInteger, nullable=False),
    Column("redeemed_amount", BigInteger, nullable=False),
    Column("expired_amount", BigInteger, nullable=False, server_default="0"),
    Column("pending_amount", BigInteger, nullable=False, server_default="0"),
    Column("due_on", Text),  # a local day, ISO 8601
    Column("quantity", BigInteger),
    Column("redeemed_quantity", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
    micros("start_date", nullable=True),
    micros("expiration_date", nullable=True),
    Column("validity_timeframe", Text),  # JSON
    Column("validity_day_of_week", Text),  # JSON
    Column("validity_hours", Text),  # JSON
    Column("campaign", Text),
    Column("campaign_id", Text),
    Column("category_id", Text),
    Column("rule_ids", Text, nullable=False, server_default="[]"),  # JSON
    Column("holder_id", Text),
    Column("is_referral_code", Boolean, nullable=False),
    Column("metadata", Text, nullable=False),  # JSON
    Column("additional_info", Text),
    micros("created_at"),
    micros("updated_at", nullable=True),
    Column("publish_count", BigInteger, nullable=False),
    Column("referrer_id", Text),
    Column("qr_id", Text, nullable=False),
    Column("barcode_id", Text, nullable=False),
    micros("locked_until"),
    micros("deleted_at", nullable=True),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "code_key"),
    # The last net under every decision: no statement of any kind can oversell.
    CheckConstraint("redeemed_quantity >= 0 AND (quantity IS NULL OR redeemed_quantity <= quantity)", name="uses"),
    CheckConstraint(
        "redeemed_amount >= 0 AND expired_amount >= 0 AND pending_amount >= 0"
        " AND gift_amount - subtracted_amount - redeemed_amount - expired_amount >= 0",
        name="credit",
    ),
    Index("vouchers_by_creation", "project_id", "created_at", "id"),
    Index(
        "vouchers_without_campaign",
        "project_id",
        "created_at",
        "id",
        sqlite_where=WITHOUT_CAMPAIGN_AND_RULES,
        postgresql_where=WITHOUT_CAMPAIGN_AND_RULES,
    ),
    Index("vouchers_by_change", "project_id", "updated_at", "id"),
    Index("vouchers_held", "project_id", "holder_id", sqlite_where=_HELD, postgresql_where=_HELD),
    Index("vouchers_held_of_credit", "project_id", "holder_id", sqlite_where=OF_CREDIT, postgresql_where=OF_CREDIT),
    Index("vouchers_in_campaign", "project_id", "campaign_id", "id"),
    Index("vouchers_free", "project_id", "campaign_id", "id", sqlite_where=FREE, postgresql_where=FREE),
    Index("vouchers_of_category", "project_id", "category_id", sqlite_where=_SORTED, postgresql_where=_SORTED),
    Index("vouchers_due", "project_id", "due_on", sqlite_where=_DUE, postgresql_where=_DUE),
    Index("vouchers_by_qr", "qr_id"),
    Index("vouchers_by_barcode", "barcode_id"),
)
transactions = Table(
    "voucher_transactions",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("voucher_id", Text, nullable=False),
    Column("campaign_id", Text),
    Column("source_id", Text),
    Column("source", Text),
    Column("reason", Text),
    Column("type", Text, nullable=False),
    Column("details", Text, nullable=False),  # JSON
    Column("related_transaction_id", Text),  # the other side of a transfer
    Column("amount", BigInteger),  # signed credits or points; null in what was written before schema 0003
    micros("created_at"),
    PrimaryKeyConstraint("project_id", "id"),
    Index("voucher_transactions_of_voucher", "project_id", "voucher_id", "id"),
    Index("voucher_transactions_of_campaign", "project_id", "campaign_id", "id"),
)
