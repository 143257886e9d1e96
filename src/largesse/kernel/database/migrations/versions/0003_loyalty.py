"""Loyalty, publications, segments, events and schemas."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
        ["project_id", "segment_id", "turns_on", "customer_id"],
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


def downgrade() -> None:
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
    op.drop_index("rewards_by_creation", table_name="rewards")
    op.drop_table("rewards")
    op.drop_index("reward_assignments_of_campaign", table_name="reward_assignments")
    op.drop_table("reward_assignments")
    op.drop_index("idempotency_keys_by_age", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
