"""Settings of one installation: `LARGESSE_*` variables, or the same names in lower case in a TOML file.

A variable wins over the file, an option of the command line over both. An unknown name is refused, with the nearest known one.
"""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

PREFIX = "LARGESSE_"
CONFIG_VARIABLE = "LARGESSE_CONFIG"


class SettingsError(Exception):
    """A setting is unknown or has an impossible value; the text says which and what to write instead."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every field is a setting; its docstring line in the README's table says the same in a user's words."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    database_url: str = "sqlite:///largesse.db"
    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    # Address under which clients reach the server: every absolute URL in an answer is built from it. Empty = host and port.
    public_url: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    # Months a redemption stays reversible; 0 = for ever.
    rollback_period_months: Annotated[int, Meta(ge=0, le=1200)] = 3
    # Earning rules that a project can have in all its loyalty programs.
    earning_rules_per_project: Annotated[int, Meta(ge=0, le=10_000)] = 100
    # Days the file of an export can be downloaded.
    export_retention_days: Annotated[int, Meta(ge=1, le=3650)] = 30
    # Transactions with decisions that one process has under way at once on PostgreSQL; the embedded store always has one.
    lanes: Annotated[int, Meta(ge=1, le=32)] = 2
    # Requests that may wait in one lane before new ones are answered with 503.
    lane_capacity: Annotated[int, Meta(ge=1, le=100_000)] = 2_000
    # Connections for ordinary reads and writes of one process.
    pool_size: Annotated[int, Meta(ge=1, le=256)] = 8
    # Seconds a credential is trusted without looking at the store again; bounds how long a revoked key still works.
    credential_cache_seconds: Annotated[float, Meta(ge=0, le=5)] = 3
    # Calls per minute and key; 0 = no quota.
    calls_per_minute: Annotated[int, Meta(ge=0)] = 0
    # Client-side calls per 5 seconds and address; 0 = no limit.
    client_calls_per_5_seconds: Annotated[int, Meta(ge=0)] = 5
    # Trust X-Forwarded-For of a reverse proxy when telling the caller's address.
    trust_proxy: bool = False
    # Do background jobs inside the server; without it somebody has to run `largesse worker`.
    run_jobs: bool = True
    # Seconds a client has to send the head of a request, and its body.
    request_seconds: Annotated[float, Meta(gt=0, le=3600)] = 30
    # Seconds that the server lives ahead of the clock: to rehearse on a copy of the store what will hold then.
    clock_ahead_seconds: Annotated[int, Meta(ge=-(10**9), le=10**9)] = 0
    # Seconds given to accepted work when the server is told to stop.
    shutdown_seconds: Annotated[int, Meta(ge=1, le=600)] = 20

    @property
    def base_url(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def embedded(self) -> bool:
        """True for the one-file store (SQLite)."""
        return self.database_url.startswith("sqlite")


def load_settings(environ: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """Settings from the TOML file named by LARGESSE_CONFIG, the environment and `overrides` (None = not given), last one wins.

    Raises SettingsError.
    """
    values: dict[str, Any] = {}
    if config := environ.get(CONFIG_VARIABLE):
        values.update(_read_file(Path(config)))
    for name, text in environ.items():
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE:
            values[name.removeprefix(PREFIX).lower()] = text
    values.update((name, value) for name, value in overrides.items() if value is not None)
    _refuse_unknown(values)
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at `$.")
        name = place.rstrip("`").upper()
        raise SettingsError(f"{PREFIX}{name} has an impossible value: {problem}") from None
    if settings.embedded and settings.workers > 1:
        raise SettingsError(
            "Several workers need PostgreSQL: the embedded store has one writer, so a second process could only wait for it. "
            "Set LARGESSE_DATABASE_URL=postgresql://… or leave LARGESSE_WORKERS at 1."
        )
    return settings


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"Cannot read the settings file {path}: {error}") from None


def _refuse_unknown(values: Mapping[str, Any]) -> None:
    known = list(Settings.__struct_fields__)
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, [*known, CONFIG_VARIABLE.removeprefix(PREFIX).lower()], 1)
            hint = f" Did you mean {PREFIX}{near[0].upper()}?" if near else f" Known: {', '.join(known)}."
            raise SettingsError(f"Unknown setting {PREFIX}{name.upper()} ({name} in a file).{hint}")
