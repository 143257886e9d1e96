"""The first schema: projects and keys, vouchers, customers, products, orders, redemptions, postings, events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("last_four", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=True),
        sa.Column("ip_allow_list", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "bin_entries",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("resource_name", sa.Text(), nullable=False),
        sa.Column("resource_parent_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index(
        "bin_entries_of_resource", "bin_entries", ["project_id", "resource_type", "resource_id"], unique=False
    )
    op.create_table(
        "customers",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("tracking_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_key", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("birthdate", sa.Text(), nullable=True),
        sa.Column("birthday", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("total_succeeded", sa.BigInteger(), nullable=False),
        sa.Column("total_failed", sa.BigInteger(), nullable=False),
        sa.Column("total_rolled_back", sa.BigInteger(), nullable=False),
        sa.Column("total_rollback_failed", sa.BigInteger(), nullable=False),
        sa.Column("gift_redeemed_amount", sa.BigInteger(), nullable=False),
        sa.Column("orders_count", sa.BigInteger(), nullable=False),
        sa.Column("orders_amount", sa.BigInteger(), nullable=False),
        sa.Column("last_order_amount", sa.BigInteger(), nullable=False),
        sa.Column("last_order_date", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "source_id"),
        sa.UniqueConstraint("project_id", "tracking_key"),
    )
    op.create_index("customers_by_change", "customers", ["project_id", "updated_at", "id"], unique=False)
    op.create_index("customers_by_creation", "customers", ["project_id", "created_at", "id"], unique=False)
    op.create_index("customers_by_email", "customers", ["project_id", "email_key"], unique=False)
    op.create_table(
        "events",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index("events_of_customer", "events", ["project_id", "customer_id", "id"], unique=False)
    op.create_table(
        "oauth_tokens",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "token_hash"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("oauth_tokens_by_expiry", "oauth_tokens", ["project_id", "expires_at"], unique=False)
    op.create_index("oauth_tokens_of_key", "oauth_tokens", ["project_id", "key_id"], unique=False)
    op.create_table(
        "orders",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("referrer_id", sa.Text(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("initial_amount", sa.BigInteger(), nullable=True),
        sa.Column("discount_amount", sa.BigInteger(), nullable=False),
        sa.Column("total_amount", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=True),
        sa.Column("metadata", sa.Text(), nullable=True),
        sa.Column("redemptions", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "source_id"),
    )
    op.create_index("orders_by_change", "orders", ["project_id", "updated_at", "id"], unique=False)
    op.create_index("orders_by_creation", "orders", ["project_id", "created_at", "id"], unique=False)
    op.create_index("orders_of_customer", "orders", ["project_id", "customer_id", "created_at"], unique=False)
    op.create_table(
        "postings",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("cause_id", sa.Text(), nullable=False),
        sa.Column("negates", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "negates"),
    )
    op.create_index("postings_of_account", "postings", ["project_id", "account", "subject_id", "id"], unique=False)
    op.create_index("postings_of_cause", "postings", ["project_id", "cause_id"], unique=False)
    op.create_table(
        "products",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("image_url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "source_id"),
    )
    op.create_index("products_by_change", "products", ["project_id", "updated_at", "id"], unique=False)
    op.create_index("products_by_creation", "products", ["project_id", "created_at", "id"], unique=False)
    op.create_table(
        "projects",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id"),
    )
    op.create_table(
        "redemptions",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("date", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("tracking_id", sa.Text(), nullable=True),
        sa.Column("metadata", sa.Text(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("session_key", sa.Text(), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_message", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.Column("order_snapshot", sa.Text(), nullable=True),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("channel_type", sa.Text(), nullable=False),
        sa.Column("related_object_type", sa.Text(), nullable=False),
        sa.Column("related_object_id", sa.Text(), nullable=True),
        sa.Column("related_object_parent_id", sa.Text(), nullable=True),
        sa.Column("voucher_id", sa.Text(), nullable=True),
        sa.Column("voucher_code", sa.Text(), nullable=True),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("rollback_id", sa.Text(), nullable=True),
        sa.Column("rollback_date", sa.BigInteger(), nullable=True),
        sa.Column("rollback_order_mode", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index("redemptions_by_date", "redemptions", ["project_id", "date", "id"], unique=False)
    op.create_index("redemptions_of_customer", "redemptions", ["project_id", "customer_id", "date"], unique=False)
    op.create_index("redemptions_of_order", "redemptions", ["project_id", "order_id"], unique=False)
    op.create_index("redemptions_of_parent", "redemptions", ["project_id", "parent_id"], unique=False)
    op.create_index("redemptions_of_source", "redemptions", ["project_id", "source_id"], unique=False)
    op.create_index("redemptions_of_voucher", "redemptions", ["project_id", "voucher_id", "date"], unique=False)
    op.create_table(
        "session_locks",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("session_key", sa.Text(), nullable=False),
        sa.Column("voucher_id", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "session_key", "voucher_id"),
    )
    op.create_index("session_locks_of_voucher", "session_locks", ["project_id", "voucher_id"], unique=False)
    op.create_table(
        "skus",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("image_url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "source_id"),
    )
    op.create_index("skus_of_product", "skus", ["project_id", "product_id", "created_at"], unique=False)
    op.create_table(
        "voucher_transactions",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("voucher_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "id"),
    )
    op.create_index(
        "voucher_transactions_of_voucher", "voucher_transactions", ["project_id", "voucher_id", "id"], unique=False
    )
    op.create_table(
        "vouchers",
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("discount", sa.Text(), nullable=True),
        sa.Column("gift_effect", sa.Text(), nullable=True),
        sa.Column("gift_amount", sa.BigInteger(), nullable=False),
        sa.Column("subtracted_amount", sa.BigInteger(), nullable=False),
        sa.Column("redeemed_amount", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=True),
        sa.Column("redeemed_quantity", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("start_date", sa.BigInteger(), nullable=True),
        sa.Column("expiration_date", sa.BigInteger(), nullable=True),
        sa.Column("validity_timeframe", sa.Text(), nullable=True),
        sa.Column("validity_day_of_week", sa.Text(), nullable=True),
        sa.Column("validity_hours", sa.Text(), nullable=True),
        sa.Column("campaign", sa.Text(), nullable=True),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("holder_id", sa.Text(), nullable=True),
        sa.Column("is_referral_code", sa.Boolean(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("additional_info", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("publish_count", sa.BigInteger(), nullable=False),
        sa.Column("referrer_id", sa.Text(), nullable=True),
        sa.Column("qr_id", sa.Text(), nullable=False),
        sa.Column("barcode_id", sa.Text(), nullable=False),
        sa.Column("locked_until", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "redeemed_amount >= 0 AND gift_amount - subtracted_amount - redeemed_amount >= 0", name="credit"
        ),
        sa.CheckConstraint(
            "redeemed_quantity >= 0 AND (quantity IS NULL OR redeemed_quantity <= quantity)", name="uses"
        ),
        sa.PrimaryKeyConstraint("project_id", "id"),
        sa.UniqueConstraint("project_id", "code_key"),
    )
    op.create_index("vouchers_by_barcode", "vouchers", ["barcode_id"], unique=False)
    op.create_index("vouchers_by_change", "vouchers", ["project_id", "updated_at", "id"], unique=False)
    op.create_index("vouchers_by_creation", "vouchers", ["project_id", "created_at", "id"], unique=False)
    op.create_index("vouchers_by_qr", "vouchers", ["qr_id"], unique=False)
    op.create_index("vouchers_of_campaign", "vouchers", ["project_id", "campaign_id"], unique=False)
    op.create_index("vouchers_of_holder", "vouchers", ["project_id", "holder_id"], unique=False)


def downgrade() -> None:
    op.drop_index("vouchers_of_holder", table_name="vouchers")
    op.drop_index("vouchers_of_campaign", table_name="vouchers")
    op.drop_index("vouchers_by_qr", table_name="vouchers")
    op.drop_index("vouchers_by_creation", table_name="vouchers")
    op.drop_index("vouchers_by_change", table_name="vouchers")
    op.drop_index("vouchers_by_barcode", table_name="vouchers")
    op.drop_table("vouchers")
    op.drop_index("voucher_transactions_of_voucher", table_name="voucher_transactions")
    op.drop_table("voucher_transactions")
    op.drop_index("skus_of_product", table_name="skus")
    op.drop_table("skus")
    op.drop_index("session_locks_of_voucher", table_name="session_locks")
    op.drop_table("session_locks")
    op.drop_index("redemptions_of_voucher", table_name="redemptions")
    op.drop_index("redemptions_of_source", table_name="redemptions")
    op.drop_index("redemptions_of_parent", table_name="redemptions")
    op.drop_index("redemptions_of_order", table_name="redemptions")
    op.drop_index("redemptions_of_customer", table_name="redemptions")
    op.drop_index("redemptions_by_date", table_name="redemptions")
    op.drop_table("redemptions")
    op.drop_table("projects")
    op.drop_index("products_by_creation", table_name="products")
    op.drop_index("products_by_change", table_name="products")
    op.drop_table("products")
    op.drop_index("postings_of_cause", table_name="postings")
    op.drop_index("postings_of_account", table_name="postings")
    op.drop_table("postings")
    op.drop_index("orders_of_customer", table_name="orders")
    op.drop_index("orders_by_creation", table_name="orders")
    op.drop_index("orders_by_change", table_name="orders")
    op.drop_table("orders")
    op.drop_index("oauth_tokens_of_key", table_name="oauth_tokens")
    op.drop_index("oauth_tokens_by_expiry", table_name="oauth_tokens")
    op.drop_table("oauth_tokens")
    op.drop_index("events_of_customer", table_name="events")
    op.drop_table("events")
    op.drop_index("customers_by_email", table_name="customers")
    op.drop_index("customers_by_creation", table_name="customers")
    op.drop_index("customers_by_change", table_name="customers")
    op.drop_table("customers")
    op.drop_index("bin_entries_of_resource", table_name="bin_entries")
    op.drop_table("bin_entries")
    op.drop_table("api_keys")
