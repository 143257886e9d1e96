"""Key pairs and tokens. Secrets are stored as SHA-256 digests: they are random and long, so a slow hash would add nothing."""

import hashlib
import ipaddress
import secrets
import uuid
from typing import Any, Literal

import msgspec
from sqlalchemy import Row, and_, delete, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from largesse.kernel import ids
from largesse.kernel.access.tables import api_keys, oauth_tokens
from largesse.kernel.errors import not_found

KeyKind = Literal["server", "client"]
TOKEN_SECONDS = 900
MAX_LIVE_TOKENS = 1_000


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A credential as stored; `scopes` None = its whole surface, `ip_allow_list` None = from anywhere (CIDR forms allowed)."""

    project_id: str
    id: str
    kind: str
    name: str
    role: str
    token_hash: str
    last_four: str
    scopes: list[str] | None
    ip_allow_list: list[str] | None
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    blocked: bool

    def is_live(self, now: int) -> bool:
        return not self.blocked and self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def admits(self, address: str) -> bool:
        """Whether calls from `address` are allowed."""
        if self.ip_allow_list is None:
            return True
        try:
            caller = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(caller in ipaddress.ip_network(network, strict=False) for network in self.ip_allow_list)


class OAuthToken(msgspec.Struct, frozen=True, kw_only=True):
    project_id: str
    token_hash: str
    client_id: str
    key_id: str
    scopes: list[str]
    created_at: int
    expires_at: int
    revoked_at: int | None

    def is_live(self, now: int) -> bool:
        return self.revoked_at is None and now < self.expires_at


_KEYS = select(*(api_keys.c[name] for name in ApiKey.__struct_fields__))
_TOKENS = select(*(oauth_tokens.c[name] for name in OAuthToken.__struct_fields__))


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def create_key(
    conn: Connection,
    project_id: str,
    now: int,
    *,
    kind: KeyKind = "server",
    name: str = "",
    role: str = "ADMIN",
    scopes: list[str] | None = None,
    ip_allow_list: list[str] | None = None,
    expires_at: int | None = None,
    pair: tuple[str, str] | None = None,
) -> tuple[str, str]:
    """A new (id, token) pair; the token can never be read again. `pair` fixes both. Raises ValueError for bad networks."""
    for network in ip_allow_list or ():
        ipaddress.ip_network(network, strict=False)
    id, token = pair or (str(uuid.uuid4()), str(uuid.UUID(bytes=secrets.token_bytes(16))))
    conn.execute(
        insert(api_keys).values(
            project_id=project_id,
            id=id,
            kind=kind,
            name=name or f"{kind} key",
            role=role,
            token_hash=digest(token),
            last_four=token[-4:],
            scopes=scopes,
            ip_allow_list=ip_allow_list,
            created_at=now,
            expires_at=expires_at,
            revoked_at=None,
            blocked=False,
        )
    )
    return id, token


def list_keys(conn: Connection, project_id: str) -> list[ApiKey]:
    rows = conn.execute(_KEYS.where(api_keys.c.project_id == project_id).order_by(api_keys.c.created_at, api_keys.c.id))
    return [_key(row) for row in rows]


def find_key(conn: Connection, key_id: str) -> ApiKey | None:
    row = conn.execute(_KEYS.where(api_keys.c.id == key_id)).first()
    return _key(row) if row else None


def revoke_key(conn: Connection, key_id: str, now: int) -> ApiKey:
    """Ends a key and the tokens issued to it. Raises ApiError 404."""
    key = find_key(conn, key_id)
    if key is None:
        raise not_found("key", key_id)
    conn.execute(
        update(api_keys)
        .where(api_keys.c.project_id == key.project_id, api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    conn.execute(
        update(oauth_tokens)
        .where(
            oauth_tokens.c.project_id == key.project_id,
            oauth_tokens.c.key_id == key_id,
            oauth_tokens.c.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
    return key


def issue_token(
    conn: Connection, project_id: str, key_id: str, scopes: list[str], now: int
) -> tuple[str, OAuthToken] | None:
    """A bearer token of 15 minutes; None when the project has as many live ones as it may."""
    mine = oauth_tokens.c.project_id == project_id
    live = and_(mine, oauth_tokens.c.revoked_at.is_(None), oauth_tokens.c.expires_at > now)
    conn.execute(
        delete(oauth_tokens).where(mine, or_(oauth_tokens.c.expires_at <= now, oauth_tokens.c.revoked_at.is_not(None)))
    )
    if conn.execute(select(func.count()).select_from(oauth_tokens).where(live)).scalar_one() >= MAX_LIVE_TOKENS:
        return None
    secret = ids.random_text(50)
    token = OAuthToken(
        project_id=project_id,
        token_hash=digest(secret),
        client_id=ids.random_text(21),
        key_id=key_id,
        scopes=scopes,
        created_at=now,
        expires_at=now + TOKEN_SECONDS * 1_000_000,
        revoked_at=None,
    )
    conn.execute(insert(oauth_tokens).values(**msgspec.structs.asdict(token)))
    return secret, token


def find_token(conn: Connection, secret: str) -> OAuthToken | None:
    row = conn.execute(_TOKENS.where(oauth_tokens.c.token_hash == digest(secret))).first()
    return OAuthToken(**row._mapping) if row else None


def revoke_token(conn: Connection, token: OAuthToken, now: int) -> None:
    conn.execute(
        update(oauth_tokens)
        .where(oauth_tokens.c.project_id == token.project_id, oauth_tokens.c.token_hash == token.token_hash)
        .values(revoked_at=now)
    )


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(**row._mapping)
