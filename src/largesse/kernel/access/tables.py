"""Tables of projects and credentials.

`api_keys` and `oauth_tokens` are found by what the caller sends, before the project is known. On a sharded store they are reference
tables; everything else of a request then stays on the project's shard. `management_keys` belong to no project: they open all.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, PrimaryKeyConstraint, Table, Text, UniqueConstraint

from largesse.kernel.database.columns import JsonText, metadata, micros, project_id

projects = Table(
    "projects",
    metadata,
    Column("project_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    micros("created_at"),
    Column("secret", Text, nullable=False),
    Column("settings", JsonText, nullable=False),
    Column("described", JsonText),  # kinds of objects that have a metadata schema
)
api_keys = Table(
    "api_keys",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),  # the public half: X-App-Id
    Column("kind", Text, nullable=False),  # server, client
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("last_four", Text, nullable=False),
    Column("scopes", JsonText),
    Column("ip_allow_list", JsonText),
    micros("created_at"),
    micros("expires_at", nullable=True),
    micros("revoked_at", nullable=True),
    Column("blocked", Boolean, nullable=False),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("id"),
)
management_keys = Table(
    "management_keys",
    metadata,
    Column("id", Text, primary_key=True),  # the public half: X-Management-Id
    Column("name", Text, nullable=False),
    Column("token_hash", Text, nullable=False),
    Column("last_four", Text, nullable=False),
    micros("created_at"),
    micros("revoked_at", nullable=True),
)
oauth_tokens = Table(
    "oauth_tokens",
    metadata,
    project_id(),
    Column("token_hash", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("scopes", JsonText, nullable=False),
    micros("created_at"),
    micros("expires_at"),
    micros("revoked_at", nullable=True),
    PrimaryKeyConstraint("project_id", "token_hash"),
    UniqueConstraint("token_hash"),
    Index("oauth_tokens_of_key", "project_id", "key_id"),
    Index("oauth_tokens_by_expiry", "project_id", "expires_at"),
)
