"""Campaigns, promotions, rules, categories and jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaign_tallies",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "campaign_id", "day", "name"),
    )
    op.create_table(
        "campaigns",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("campaign_type", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("voucher", sa.Text(), nullable=True),
        sa.Column("voucher_type", sa.Text(), nullable=True),
        sa.Column("join_once", sa.Boolean(), nullable=False),
        sa.Column("auto_join", sa.Boolean(), nullable=False),
        sa.Column("use_voucher_metadata_schema", sa.Boolean(), nullable=False),
        sa.Column("start_date", sa.BigInteger(), nullable=True),
        sa.Column("expiration_date", sa.BigInteger(), nullable=True),
        sa.Column("validity_timeframe", sa.Text(), nullable=True),
        sa.Column("validity_day_of_week", sa.Text(), nullable=True),
        sa.Column("validity_hours", sa.Text(), nullable=True),
        sa.Column("activity_duration_after_publishing", sa.Text(), nullable=True),
        sa.Column("category_id", sa.Text(), nullable=True),
        sa.Column("metadata", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("vouchers_count", sa.BigInteger(), nullable=False),
        sa.Column("creation_status", sa.Text(), nullable=False),
        sa.Column("vouchers_generation_status", sa.Text(), nullable=False),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_index("campaigns_by_creation", "campaigns", ["project_id", "created_at", "id"], unique=False)
    op.create_index("campaigns_of_category", "campaigns", ["project_id", "category_id"], unique=False)
    op.create_table(
        "categories",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hierarchy", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_index("categories_by_creation", "categories", ["project_id", "created_at", "id"], unique=False)
    op.create_table(
        "counters",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "subject_id", "account"),
    )
    op.create_table(
        "jobs",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("operation_status", sa.Text(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index("jobs_by_creation", "jobs", ["project_id", "created_at", "id"], unique=False)
    op.create_index(
        "jobs_due",
        "jobs",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "jobs_started",
        "jobs",
        ["project_id", "queue"],
        unique=True,
        sqlite_where=sa.text("status = 'IN_PROGRESS'"),
        postgresql_where=sa.text("status = 'IN_PROGRESS'"),
    )
    op.create_index(
        "jobs_waiting",
        "jobs",
        ["project_id", "queue", "id"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "management_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("last_four", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "product_collections",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("filter", sa.Text(), nullable=True),
        sa.Column("products", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_index(
        "product_collections_by_creation", "product_collections", ["project_id", "created_at", "id"], unique=False
    )
    op.create_table(
        "promotion_stacks",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier_ids", sa.Text(), nullable=False),
        sa.Column("category_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index(
        "promotion_stacks_by_creation", "promotion_stacks", ["project_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "promotion_stacks_of_campaign",
        "promotion_stacks",
        ["project_id", "campaign_id", "created_at", "id"],
        unique=False,
    )
    op.create_index("promotion_stacks_of_category", "promotion_stacks", ["project_id", "category_id"], unique=False)
    op.create_table(
        "promotion_tiers",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("banner", sa.Text(), nullable=True),
        sa.Column("discount", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("hierarchy", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("start_date", sa.BigInteger(), nullable=True),
        sa.Column("expiration_date", sa.BigInteger(), nullable=True),
        sa.Column("validity_timeframe", sa.Text(), nullable=True),
        sa.Column("validity_day_of_week", sa.Text(), nullable=True),
        sa.Column("validity_hours", sa.Text(), nullable=True),
        sa.Column("category_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index("promotion_tiers_by_change", "promotion_tiers", ["project_id", "updated_at", "id"], unique=False)
    op.create_index("promotion_tiers_by_creation", "promotion_tiers", ["project_id", "created_at", "id"], unique=False)
    op.create_index(
        "promotion_tiers_of_campaign", "promotion_tiers", ["project_id", "campaign_id", "hierarchy", "id"], unique=False
    )
    op.create_index("promotion_tiers_of_category", "promotion_tiers", ["project_id", "category_id"], unique=False)
    op.create_table(
        "stacking_rules",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.create_table(
        "validation_rules",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("bundle_rules", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("applicable_to", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("context_type", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "name"),
    )
    op.create_index(
        "validation_rules_by_creation", "validation_rules", ["project_id", "created_at", "id"], unique=False
    )
    op.create_table(
        "validation_rules_assignments",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("related_object_type", sa.Text(), nullable=False),
        sa.Column("related_object_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id", "rule_id"],
            ["validation_rules.project_id", "validation_rules.id"],
        ),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "related_object_id", "related_object_type", "rule_id"),
    )
    op.create_index(
        "validation_rules_assignments_by_creation",
        "validation_rules_assignments",
        ["project_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "validation_rules_assignments_of_rule",
        "validation_rules_assignments",
        ["project_id", "rule_id", "created_at", "id"],
        unique=False,
    )
    op.add_column("redemptions", sa.Column("promotion_tier_id", sa.Text(), nullable=True))
    op.add_column("redemptions", sa.Column("order_amount", sa.BigInteger(), nullable=True))
    op.add_column("redemptions", sa.Column("discount_amount", sa.BigInteger(), nullable=True))
    op.create_index(
        "redemptions_of_campaign",
        "redemptions",
        ["project_id", "campaign_id", "date"],
        unique=False,
        sqlite_where=sa.text("campaign_id IS NOT NULL"),
        postgresql_where=sa.text("campaign_id IS NOT NULL"),
    )
    op.create_index(
        "redemptions_of_tier",
        "redemptions",
        ["project_id", "promotion_tier_id", "date"],
        unique=False,
        sqlite_where=sa.text("promotion_tier_id IS NOT NULL"),
        postgresql_where=sa.text("promotion_tier_id IS NOT NULL"),
    )
    op.create_index(
        "voucher_transactions_of_campaign", "voucher_transactions", ["project_id", "campaign_id", "id"], unique=False
    )
    op.add_column("vouchers", sa.Column("category_id", sa.Text(), nullable=True))
    op.add_column("vouchers", sa.Column("rule_ids", sa.Text(), server_default="[]", nullable=False))
    op.drop_index(op.f("vouchers_of_campaign"), table_name="vouchers")
    op.drop_index(op.f("vouchers_of_holder"), table_name="vouchers")
    op.create_index(
        "vouchers_held",
        "vouchers",
        ["project_id", "holder_id"],
        unique=False,
        sqlite_where=sa.text("holder_id IS NOT NULL"),
        postgresql_where=sa.text("holder_id IS NOT NULL"),
    )
    op.create_index("vouchers_in_campaign", "vouchers", ["project_id", "campaign_id", "id"], unique=False)
    op.create_index(
        "vouchers_of_category",
        "vouchers",
        ["project_id", "category_id"],
        unique=False,
        sqlite_where=sa.text("category_id IS NOT NULL"),
        postgresql_where=sa.text("category_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "vouchers_of_category",
        table_name="vouchers",
        sqlite_where=sa.text("category_id IS NOT NULL"),
        postgresql_where=sa.text("category_id IS NOT NULL"),
    )
    op.drop_index("vouchers_in_campaign", table_name="vouchers")
    op.drop_index(
        "vouchers_held",
        table_name="vouchers",
        sqlite_where=sa.text("holder_id IS NOT NULL"),
        postgresql_where=sa.text("holder_id IS NOT NULL"),
    )
    op.create_index(op.f("vouchers_of_holder"), "vouchers", ["project_id", "holder_id"], unique=False)
    op.create_index(op.f("vouchers_of_campaign"), "vouchers", ["project_id", "campaign_id"], unique=False)
    op.drop_column("vouchers", "rule_ids")
    op.drop_column("vouchers", "category_id")
    op.drop_index("voucher_transactions_of_campaign", table_name="voucher_transactions")
    op.drop_index(
        "redemptions_of_tier",
        table_name="redemptions",
        sqlite_where=sa.text("promotion_tier_id IS NOT NULL"),
        postgresql_where=sa.text("promotion_tier_id IS NOT NULL"),
    )
    op.drop_index(
        "redemptions_of_campaign",
        table_name="redemptions",
        sqlite_where=sa.text("campaign_id IS NOT NULL"),
        postgresql_where=sa.text("campaign_id IS NOT NULL"),
    )
    op.drop_column("redemptions", "discount_amount")
    op.drop_column("redemptions", "order_amount")
    op.drop_column("redemptions", "promotion_tier_id")
    op.drop_index("validation_rules_assignments_of_rule", table_name="validation_rules_assignments")
    op.drop_index("validation_rules_assignments_by_creation", table_name="validation_rules_assignments")
    op.drop_table("validation_rules_assignments")
    op.drop_index("validation_rules_by_creation", table_name="validation_rules")
    op.drop_table("validation_rules")
    op.drop_table("stacking_rules")
    op.drop_index("promotion_tiers_of_category", table_name="promotion_tiers")
    op.drop_index("promotion_tiers_of_campaign", table_name="promotion_tiers")
    op.drop_index("promotion_tiers_by_creation", table_name="promotion_tiers")
    op.drop_index("promotion_tiers_by_change", table_name="promotion_tiers")
    op.drop_table("promotion_tiers")
    op.drop_index("promotion_stacks_of_category", table_name="promotion_stacks")
    op.drop_index("promotion_stacks_of_campaign", table_name="promotion_stacks")
    op.drop_index("promotion_stacks_by_creation", table_name="promotion_stacks")
    op.drop_table("promotion_stacks")
    op.drop_index("product_collections_by_creation", table_name="product_collections")
    op.drop_table("product_collections")
    op.drop_table("management_keys")
    op.drop_index(
        "jobs_waiting",
        table_name="jobs",
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.drop_index(
        "jobs_started",
        table_name="jobs",
        sqlite_where=sa.text("status = 'IN_PROGRESS'"),
        postgresql_where=sa.text("status = 'IN_PROGRESS'"),
    )
    op.drop_index(
        "jobs_due",
        table_name="jobs",
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.drop_index("jobs_by_creation", table_name="jobs")
    op.drop_table("jobs")
    op.drop_table("counters")
    op.drop_index("categories_by_creation", table_name="categories")
    op.drop_table("categories")
    op.drop_index("campaigns_of_category", table_name="campaigns")
    op.drop_index("campaigns_by_creation", table_name="campaigns")
    op.drop_table("campaigns")
    op.drop_table("campaign_tallies")
