"""Loyalty, publications, segments, events and schemas."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "auto_redemptions",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("assignment_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "customer_id", "assignment_id", "day"),
    )
    op.create_index(
        "auto_redemptions_spent",
        "auto_redemptions",
        ["project_id", "day"],
        unique=False,
        sqlite_where=sa.text("count >= 10"),
        postgresql_where=sa.text("count >= 10"),
    )
    op.create_table(
        "custom_event_schemas",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_table(
        "custom_events",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("loyalty_code", sa.Text(), nullable=True),
        sa.Column("referral", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index("custom_events_by_name", "custom_events", ["project_id", "name", "customer_id"], unique=False)
    op.create_index(
        "custom_events_of_customer", "custom_events", ["project_id", "customer_id", "name", "created_at"], unique=False
    )
    op.create_table(
        "decisions",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("outcomes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_table(
        "earning_rules",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("automation_id", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column("loyalty", sa.Text(), nullable=False),
        sa.Column("pending_days", sa.BigInteger(), nullable=True),
        sa.Column("expiration_rules", sa.Text(), nullable=True),
        sa.Column("banner", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("start_date", sa.BigInteger(), nullable=True),
        sa.Column("expiration_date", sa.BigInteger(), nullable=True),
        sa.Column("validity_timeframe", sa.Text(), nullable=True),
        sa.Column("validity_day_of_week", sa.Text(), nullable=True),
        sa.Column("validity_hours", sa.Text(), nullable=True),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index(
        "earning_rules_of_campaign", "earning_rules", ["project_id", "campaign_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "earning_rules_of_event", "earning_rules", ["project_id", "event", "created_at", "id"], unique=False
    )
    op.create_table(
        "earnings",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "cause_id", "rule_id"),
    )
    op.create_table(
        "export_parts",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("export_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "export_id", "number"),
    )
    op.create_table(
        "exports",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("exported_object", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("kept_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index("exports_by_creation", "exports", ["project_id", "created_at", "id"], unique=False)
    op.create_index(
        "exports_by_end",
        "exports",
        ["project_id", "kept_until"],
        unique=False,
        sqlite_where=sa.text("size > 0"),
        postgresql_where=sa.text("size > 0"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index("idempotency_keys_by_age", "idempotency_keys", ["project_id", "created_at"], unique=False)
    op.create_table(
        "locations",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("shape", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index("locations_by_creation", "locations", ["project_id", "created_at", "id"], unique=False)
    op.create_table(
        "loyalty_tier_members",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("voucher_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("tier_id", sa.Text(), nullable=True),
        sa.Column("start_on", sa.Text(), nullable=True),
        sa.Column("end_on", sa.Text(), nullable=True),
        sa.Column("grants", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=True),
        sa.Column("period_on", sa.Text(), nullable=True),
        sa.Column("collected", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "voucher_id"),
    )
    op.create_index(
        "loyalty_tier_members_due", "loyalty_tier_members", ["project_id", "due_on", "voucher_id"], unique=False
    )
    op.create_index(
        "loyalty_tier_members_of_campaign",
        "loyalty_tier_members",
        ["project_id", "campaign_id", "voucher_id"],
        unique=False,
    )
    op.create_index(
        "loyalty_tier_members_of_customer", "loyalty_tier_members", ["project_id", "customer_id"], unique=False
    )
    op.create_table(
        "loyalty_tiers",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=True),
        sa.Column("earning_rules", sa.Text(), nullable=False),
        sa.Column("rewards", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index(
        "loyalty_tiers_of_campaign", "loyalty_tiers", ["project_id", "campaign_id", "created_at", "id"], unique=False
    )
    op.create_table(
        "metadata_schemas",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("related_object", sa.Text(), nullable=False),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.Column("allow_defined_only", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "related_object"),
    )
    op.create_table(
        "pending_points",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("voucher_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("activates_on", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("points >= 1", name="points"),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index("pending_points_of_campaign", "pending_points", ["project_id", "campaign_id", "id"], unique=False)
    op.create_index(
        "pending_points_of_order",
        "pending_points",
        ["project_id", "order_id"],
        unique=False,
        sqlite_where=sa.text("status = 'PENDING'"),
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.create_index("pending_points_of_voucher", "pending_points", ["project_id", "voucher_id", "id"], unique=False)
    op.create_table(
        "points_buckets",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("voucher_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("expired_points", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("points >= 0", name="points"),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index(
        "points_buckets_active",
        "points_buckets",
        ["project_id", "voucher_id", "expires_on"],
        unique=True,
        sqlite_where=sa.text("status = 'ACTIVE'"),
        postgresql_where=sa.text("status = 'ACTIVE'"),
    )
    op.create_index(
        "points_buckets_of_campaign", "points_buckets", ["project_id", "campaign_id", "expires_on", "id"], unique=False
    )
    op.create_index("points_buckets_of_voucher", "points_buckets", ["project_id", "voucher_id", "id"], unique=False)
    op.create_table(
        "publications",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("tracking_id", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("voucher_type", sa.Text(), nullable=True),
        sa.Column("is_referral_code", sa.Boolean(), nullable=False),
        sa.Column("vouchers", sa.Text(), nullable=False),
        sa.Column("voucher_id", sa.Text(), nullable=True),
        sa.Column("voucher_code", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index("publications_by_creation", "publications", ["project_id", "created_at", "id"], unique=False)
    op.create_index(
        "publications_by_source",
        "publications",
        ["project_id", "source_id"],
        unique=True,
        sqlite_where=sa.text("source_id IS NOT NULL AND result = 'SUCCESS'"),
        postgresql_where=sa.text("source_id IS NOT NULL AND result = 'SUCCESS'"),
    )
    op.create_index(
        "publications_of_campaign", "publications", ["project_id", "campaign_id", "created_at"], unique=False
    )
    op.create_index("publications_of_customer", "publications", ["project_id", "customer_id", "id"], unique=False)
    op.create_index("publications_of_voucher", "publications", ["project_id", "voucher_id", "id"], unique=False)
    op.create_table(
        "redeemable_holders",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("voucher_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("campaign_type", sa.Text(), nullable=True),
        sa.Column("voucher_type", sa.Text(), nullable=False),
        sa.Column("publication_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "voucher_id", "customer_id"),
    )
    op.create_index(
        "redeemable_holders_of_customer",
        "redeemable_holders",
        ["project_id", "customer_id", "campaign_id", "id"],
        unique=False,
    )
    op.create_index(
        "redeemable_holders_of_publication", "redeemable_holders", ["project_id", "publication_id"], unique=False
    )
    op.create_table(
        "reward_assignments",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reward_id", sa.Text(), nullable=False),
        sa.Column("related_object_id", sa.Text(), nullable=False),
        sa.Column("related_object_type", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=True),
        sa.Column("auto_redeem", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "reward_id", "related_object_id"),
    )
    op.create_index(
        "reward_assignments_of_campaign",
        "reward_assignments",
        ["project_id", "related_object_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "rewards",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=True),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index("rewards_by_creation", "rewards", ["project_id", "created_at", "id"], unique=False)
    op.create_table(
        "seals",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_table(
        "segment_members",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("segment_id", sa.Text(), nullable=False),
        sa.Column("inside", sa.Boolean(), nullable=False),
        sa.Column("turns_on", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "customer_id", "segment_id"),
    )
    op.create_index(
        "segment_members_of_segment", "segment_members", ["project_id", "segment_id", "customer_id"], unique=False
    )
    op.create_index(
        "segment_members_turning",
        "segment_members",
        ["turns_on", "project_id", "segment_id", "customer_id"],
        unique=False,
        sqlite_where=sa.text("turns_on IS NOT NULL"),
        postgresql_where=sa.text("turns_on IS NOT NULL"),
    )
    op.create_table(
        "segments",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("filter", sa.Text(), nullable=True),
        sa.Column("initial_sync_status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index("segments_by_creation", "segments", ["project_id", "created_at", "id"], unique=False)
    op.create_table(
        "settling",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rivals", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_table(
        "sums",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("api_key", sa.Text(), nullable=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "scope_id", "name"),
    )
    op.create_index("sums_ending", "sums", ["project_id", "until"], unique=False)
    op.add_column("campaigns", sa.Column("loyalty_tiers_expiration", sa.Text(), nullable=True))
    op.add_column("postings", sa.Column("seal_id", sa.Text(), nullable=True))
    op.add_column("projects", sa.Column("described", sa.Text(), nullable=True))
    op.add_column("redemptions", sa.Column("reward", sa.Text(), nullable=True))
    op.add_column("validation_rules", sa.Column("counts_since", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("voucher_transactions", sa.Column("related_transaction_id", sa.Text(), nullable=True))
    op.add_column("voucher_transactions", sa.Column("amount", sa.BigInteger(), nullable=True))
    op.add_column("vouchers", sa.Column("expired_amount", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("vouchers", sa.Column("pending_amount", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("vouchers", sa.Column("due_on", sa.Text(), nullable=True))
    with op.batch_alter_table("vouchers") as batch:
        batch.drop_constraint("credit", type_="check")
        batch.create_check_constraint(
            "credit",
            "redeemed_amount >= 0"
            " AND expired_amount >= 0"
            " AND pending_amount >= 0"
            " AND gift_amount - subtracted_amount - redeemed_amount - expired_amount >= 0",
        )
    op.create_index(
        "vouchers_due",
        "vouchers",
        ["project_id", "due_on"],
        unique=False,
        sqlite_where=sa.text("due_on IS NOT NULL AND holder_id IS NOT NULL AND deleted_at IS NULL"),
        postgresql_where=sa.text("due_on IS NOT NULL AND holder_id IS NOT NULL AND deleted_at IS NULL"),
    )
    op.create_index(
        "vouchers_free",
        "vouchers",
        ["project_id", "campaign_id", "id"],
        unique=False,
        sqlite_where=sa.text(
            "active AND publish_count = 0 AND redeemed_quantity = 0 AND deleted_at IS NULL AND campaign_id IS NOT NULL"
        ),
        postgresql_where=sa.text(
            "active AND publish_count = 0 AND redeemed_quantity = 0 AND deleted_at IS NULL AND campaign_id IS NOT NULL"
        ),
    )
    op.create_index(
        "vouchers_held_of_credit",
        "vouchers",
        ["project_id", "holder_id"],
        unique=False,
        sqlite_where=sa.text("holder_id IS NOT NULL AND type <> 'DISCOUNT_VOUCHER'"),
        postgresql_where=sa.text("holder_id IS NOT NULL AND type <> 'DISCOUNT_VOUCHER'"),
    )
    op.create_index(
        "vouchers_without_campaign",
        "vouchers",
        ["project_id", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("campaign_id IS NULL AND rule_ids = '[]'"),
        postgresql_where=sa.text("campaign_id IS NULL AND rule_ids = '[]'"),
    )


def downgrade() -> None:
    with op.batch_alter_table("vouchers") as batch:
        batch.drop_constraint("credit", type_="check")
        batch.create_check_constraint(
            "credit", "redeemed_amount >= 0 AND gift_amount - subtracted_amount - redeemed_amount >= 0"
        )
    op.drop_index(
        "vouchers_without_campaign",
        table_name="vouchers",
        sqlite_where=sa.text("campaign_id IS NULL AND rule_ids = '[]'"),
        postgresql_where=sa.text("campaign_id IS NULL AND rule_ids = '[]'"),
    )
    op.drop_index(
        "vouchers_held_of_credit",
        table_name="vouchers",
        sqlite_where=sa.text("holder_id IS NOT NULL AND type <> 'DISCOUNT_VOUCHER'"),
        postgresql_where=sa.text("holder_id IS NOT NULL AND type <> 'DISCOUNT_VOUCHER'"),
    )
    op.drop_index(
        "vouchers_free",
        table_name="vouchers",
        sqlite_where=sa.text(
            "active AND publish_count = 0 AND redeemed_quantity = 0 AND deleted_at IS NULL AND campaign_id IS NOT NULL"
        ),
        postgresql_where=sa.text(
            "active AND publish_count = 0 AND redeemed_quantity = 0 AND deleted_at IS NULL AND campaign_id IS NOT NULL"
        ),
    )
    op.drop_index(
        "vouchers_due",
        table_name="vouchers",
        sqlite_where=sa.text("due_on IS NOT NULL AND holder_id IS NOT NULL AND deleted_at IS NULL"),
        postgresql_where=sa.text("due_on IS NOT NULL AND holder_id IS NOT NULL AND deleted_at IS NULL"),
    )
    op.drop_column("vouchers", "due_on")
    op.drop_column("vouchers", "pending_amount")
    op.drop_column("vouchers", "expired_amount")
    op.drop_column("voucher_transactions", "amount")
    op.drop_column("voucher_transactions", "related_transaction_id")
    op.drop_column("validation_rules", "counts_since")
    op.drop_column("redemptions", "reward")
    op.drop_column("projects", "described")
    op.drop_column("postings", "seal_id")
    op.drop_column("campaigns", "loyalty_tiers_expiration")
    op.drop_index("sums_ending", table_name="sums")
    op.drop_table("sums")
    op.drop_table("settling")
    op.drop_index("segments_by_creation", table_name="segments")
    op.drop_table("segments")
    op.drop_index(
        "segment_members_turning",
        table_name="segment_members",
        sqlite_where=sa.text("turns_on IS NOT NULL"),
        postgresql_where=sa.text("turns_on IS NOT NULL"),
    )
    op.drop_index("segment_members_of_segment", table_name="segment_members")
    op.drop_table("segment_members")
    op.drop_table("seals")
    op.drop_index("rewards_by_creation", table_name="rewards")
    op.drop_table("rewards")
    op.drop_index("reward_assignments_of_campaign", table_name="reward_assignments")
    op.drop_table("reward_assignments")
    op.drop_index("redeemable_holders_of_publication", table_name="redeemable_holders")
    op.drop_index("redeemable_holders_of_customer", table_name="redeemable_holders")
    op.drop_table("redeemable_holders")
    op.drop_index("publications_of_voucher", table_name="publications")
    op.drop_index("publications_of_customer", table_name="publications")
    op.drop_index("publications_of_campaign", table_name="publications")
    op.drop_index(
        "publications_by_source",
        table_name="publications",
        sqlite_where=sa.text("source_id IS NOT NULL AND result = 'SUCCESS'"),
        postgresql_where=sa.text("source_id IS NOT NULL AND result = 'SUCCESS'"),
    )
    op.drop_index("publications_by_creation", table_name="publications")
    op.drop_table("publications")
    op.drop_index("points_buckets_of_voucher", table_name="points_buckets")
    op.drop_index("points_buckets_of_campaign", table_name="points_buckets")
    op.drop_index(
        "points_buckets_active",
        table_name="points_buckets",
        sqlite_where=sa.text("status = 'ACTIVE'"),
        postgresql_where=sa.text("status = 'ACTIVE'"),
    )
    op.drop_table("points_buckets")
    op.drop_index("pending_points_of_voucher", table_name="pending_points")
    op.drop_index(
        "pending_points_of_order",
        table_name="pending_points",
        sqlite_where=sa.text("status = 'PENDING'"),
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.drop_index("pending_points_of_campaign", table_name="pending_points")
    op.drop_table("pending_points")
    op.drop_table("metadata_schemas")
    op.drop_index("loyalty_tiers_of_campaign", table_name="loyalty_tiers")
    op.drop_table("loyalty_tiers")
    op.drop_index("loyalty_tier_members_of_customer", table_name="loyalty_tier_members")
    op.drop_index("loyalty_tier_members_of_campaign", table_name="loyalty_tier_members")
    op.drop_index("loyalty_tier_members_due", table_name="loyalty_tier_members")
    op.drop_table("loyalty_tier_members")
    op.drop_index("locations_by_creation", table_name="locations")
    op.drop_table("locations")
    op.drop_index("idempotency_keys_by_age", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index(
        "exports_by_end", table_name="exports", sqlite_where=sa.text("size > 0"), postgresql_where=sa.text("size > 0")
    )
    op.drop_index("exports_by_creation", table_name="exports")
    op.drop_table("exports")
    op.drop_table("export_parts")
    op.drop_table("earnings")
    op.drop_index("earning_rules_of_event", table_name="earning_rules")
    op.drop_index("earning_rules_of_campaign", table_name="earning_rules")
    op.drop_table("earning_rules")
    op.drop_table("decisions")
    op.drop_index("custom_events_of_customer", table_name="custom_events")
    op.drop_index("custom_events_by_name", table_name="custom_events")
    op.drop_table("custom_events")
    op.drop_table("custom_event_schemas")
    op.drop_index(
        "auto_redemptions_spent",
        table_name="auto_redemptions",
        sqlite_where=sa.text("count >= 10"),
        postgresql_where=sa.text("count >= 10"),
    )
    op.drop_table("auto_redemptions")
