"""Campaigns, promotions, rules, categories and jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
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


def downgrade() -> None:
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
    op.drop_table("counters")
    op.drop_index("categories_by_creation", table_name="categories")
    op.drop_table("categories")
