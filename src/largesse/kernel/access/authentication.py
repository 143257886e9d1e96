"""Who is asking: key pairs and bearer tokens, cached for a few seconds."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Mapping

import msgspec
from sqlalchemy.engine import Connection

from largesse.kernel import clock
from largesse.kernel.access import keys
from largesse.kernel.access.management import find_management_key
from largesse.kernel.access.projects import list_projects, load_project
from largesse.kernel.access.scopes import opens
from largesse.kernel.call import Caller, Surface
from largesse.kernel.database.database import Database
from largesse.kernel.errors import missing_permission, route_not_found, unauthorized
from largesse.kernel.project import Project
from largesse.kernel.settings import Settings

_PAIRS: dict[Surface, tuple[bytes, bytes]] = {
    "server": (b"x-app-id", b"x-app-token"),
    "client": (b"x-client-application-id", b"x-client-token"),
    "management": (b"x-management-id", b"x-management-token"),
}
_CACHE_SIZE = 10_000


class _Identity(msgspec.Struct, frozen=True):
    """A verified credential, trusted until `until` (monotonic seconds)."""

    project: Project
    caller: Caller
    key: keys.ApiKey | None  # None for a management key, which is of no project
    until: float


class Authenticator:
    """One per process. A revoked key works for `credential_cache_seconds` more at the longest, in every process."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._seconds = settings.credential_cache_seconds
        self._known: dict[bytes, _Identity] = {}
        self._asked: dict[bytes, asyncio.Task[_Identity | None]] = {}
        self._origins: tuple[float, frozenset[str]] = (0.0, frozenset())

    async def authenticate(
        self, headers: Mapping[bytes, bytes], surface: Surface, path: str, address: str
    ) -> tuple[Project, Caller]:
        """The project and caller behind `headers` (lower-case names). A bearer token wins over a pair.

        The project of a management key is the one that `path` names. Raises ApiError 401 for what cannot be trusted, 403 where the
        scope or role does not cover `path`, 404 where a trusted management key asks for a project that is not there.
        """
        authorization = headers.get(b"authorization", b"")
        if authorization[:7].lower() == b"bearer ":
            identity = await self._identity(surface, b"", authorization[7:].strip(), path)
        else:
            id_name, token_name = _PAIRS[surface]
            id, token = headers.get(id_name), headers.get(token_name)
            if not id or not token:
                raise unauthorized()
            identity = await self._identity(surface, id, token, path)
        if identity.key is not None and not identity.key.admits(address):
            raise unauthorized()
        caller = identity.caller
        if caller.scopes is not None and not opens(caller.scopes, surface, path):
            raise missing_permission("The scopes of this credential do not cover this operation")
        return identity.project, caller

    async def _identity(self, surface: Surface, id: bytes, token: bytes, path: str) -> _Identity:
        project_id = _named_project(path) if surface == "management" else ""
        # The cache is keyed by a digest of everything presented, so that finding an entry is the proof.
        cache_key = hashlib.sha256(b"\0".join((surface.encode(), project_id.encode(), id, token))).digest()
        known = self._known.get(cache_key)
        if known is not None and time.monotonic() < known.until:
            return known
        # A busy key is looked up once when its time is over, not by every request that is waiting at that moment.
        asked = self._asked.get(cache_key)
        if asked is None:
            asked = self._asked[cache_key] = asyncio.create_task(self._look_up(surface, path, id, token))
            asked.add_done_callback(lambda _: self._asked.pop(cache_key))
        identity = await asyncio.shield(asked)
        if identity is None:
            self._known.pop(cache_key, None)
            raise unauthorized()
        if len(self._known) >= _CACHE_SIZE:
            self._known.clear()
        trusted = msgspec.structs.replace(identity, until=time.monotonic() + self._seconds)
        self._known[cache_key] = trusted
        return trusted

    async def _look_up(self, surface: Surface, path: str, id: bytes, token: bytes) -> _Identity | None:
        return await self._database.look_up(
            lambda conn: (
                _by_token(conn, surface, token)
                if not id
                else _by_management_pair(conn, path, id, token)
                if surface == "management"
                else _by_pair(conn, surface, id, token)
            )
        )

    def forget(self) -> None:
        """Drops what is cached, after a credential or project changed in this process."""
        self._known.clear()

    async def trusted_origins(self) -> frozenset[str]:
        """The trusted domains of all projects, for preflights, which carry no key."""
        until, found = self._origins
        if time.monotonic() >= until:
            found = await self._database.look_up(_all_origins)
            self._origins = (time.monotonic() + max(self._seconds, 0.5), found)
        return found


def _by_pair(conn: Connection, surface: Surface, id: bytes, token: bytes) -> _Identity | None:
    key = keys.find_key(conn, id.decode("latin-1"))
    presented = hashlib.sha256(token).hexdigest()
    # Compared even where there is no such key, so that the time tells nothing.
    matches = hmac.compare_digest(key.token_hash if key else "0" * 64, presented)
    if key is None or not matches or key.kind != surface or not key.is_live(clock.now_micros()):
        return None
    scopes = frozenset(key.scopes) if key.scopes is not None else None
    caller = Caller(surface=surface, key_id=key.id, key_name=key.name, role=key.role, scopes=scopes)
    return _Identity(load_project(conn, key.project_id), caller, key, 0)


def _by_management_pair(conn: Connection, path: str, id: bytes, token: bytes) -> _Identity | None:
    key = find_management_key(conn, id.decode("latin-1"))
    presented = hashlib.sha256(token).hexdigest()
    matches = hmac.compare_digest(key.token_hash if key else "0" * 64, presented)
    if key is None or not matches or key.revoked_at is not None:
        return None
    if not (project_id := _named_project(path)):
        raise route_not_found("calls to", path)
    caller = Caller(surface="management", key_id=key.id, key_name=key.name)
    return _Identity(load_project(conn, project_id), caller, None, 0)


def _named_project(path: str) -> str:
    """The project id in `/management/v1/projects/{id}/…`; empty where none is named."""
    parts = path.split("/")
    return parts[4] if len(parts) > 4 and parts[3] == "projects" else ""


def _by_token(conn: Connection, surface: Surface, secret: bytes) -> _Identity | None:
    now = clock.now_micros()
    token = keys.find_token(conn, secret.decode("latin-1"))
    if token is None or not token.is_live(now) or surface == "management":
        return None
    key = keys.find_key(conn, token.key_id)
    if key is None or not key.is_live(now):
        return None
    caller = Caller(surface=surface, key_id=key.id, key_name=key.name, role=key.role, scopes=frozenset(token.scopes))
    return _Identity(load_project(conn, token.project_id), caller, key, 0)


def _all_origins(conn: Connection) -> frozenset[str]:
    return frozenset(domain for project in list_projects(conn) for domain in project.settings.client_trusted_domains)
