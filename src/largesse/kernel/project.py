"""A project: one merchant's separate world of codes, customers and keys, and the settings that decisions read."""

from datetime import date, datetime, time
from functools import cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from largesse.engine.stacking import StackingRules
from largesse.engine.tallies import Calendar, Weekday


class ProjectSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What can be set on a project; stored as one JSON document."""

    name: str
    currency: str = "USD"
    timezone: str = "UTC"
    first_weekday: Weekday = "MONDAY"  # of the weeks that rules count in
    case_sensitive_codes: bool = True
    client_trusted_domains: list[str] = []
    client_redeem_enabled: bool = False
    client_publish_enabled: bool = False
    client_list_vouchers_enabled: bool = False
    client_create_customer_enabled: bool = False
    client_loyalty_events_enabled: bool = False
    client_set_voucher_expiration_date_enabled: bool = False
    reward_rollback_mode: Literal["KEEP", "REVOKE"] = "KEEP"  # whether undoing a reward takes back what it handed out
    # How long it can be asked why a redemption was decided so; 0 = such explanations are not stored.
    explanation_days: Annotated[int, Meta(ge=0, le=3650)] = 90
    stacking_rules: StackingRules = StackingRules()


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A project as one request sees it. `version` grows with every change of the settings and of definitions.

    `described` names the kinds of objects whose metadata have a schema.
    """

    id: str
    version: int
    created_at: int
    settings: ProjectSettings
    secret: str  # keys derived values that must be stable and unguessable (tracking ids)
    described: frozenset[str] = frozenset()

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which days, hours and windows of this project are computed."""
        return zone(self.settings.timezone)

    @property
    def calendar(self) -> Calendar:
        """Where the days, weeks and other periods of this project begin."""
        return Calendar(self.zone, self.settings.first_weekday)

    def day(self, instant: int) -> date:
        """The calendar day of an instant (microseconds UTC) in the project's zone."""
        return datetime.fromtimestamp(instant // 1_000_000, self.zone).date()

    def midnight(self, day: date) -> int:
        """The instant at which a day begins in the project's zone, in microseconds UTC."""
        return int(datetime.combine(day, time.min, self.zone).timestamp()) * 1_000_000

    def code_key(self, code: str) -> str:
        """The form in which a code is compared and kept unique: as is, or folded where codes ignore case."""
        return code if self.settings.case_sensitive_codes else code.casefold()


@cache
def zone(name: str) -> ZoneInfo:
    """An IANA zone, or a `GMT±h` form. Raises ValueError for an unknown name."""
    if name.upper().startswith(("GMT+", "GMT-", "UTC+", "UTC-")):
        sign = "-" if name[3] == "+" else "+"  # POSIX zone files count west of Greenwich as positive
        name = f"Etc/GMT{sign}{int(name[4:].split(':')[0])}"
    try:
        return ZoneInfo(name)
    except (OSError, ValueError) as error:  # ZoneInfoNotFoundError is an OSError-like KeyError on some platforms
        raise ValueError(f"unknown time zone {name}") from error
    except KeyError:
        raise ValueError(f"unknown time zone {name}") from None
