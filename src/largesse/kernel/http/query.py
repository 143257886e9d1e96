"""Query strings: strict on what is known, silent on what is not, in all spellings that the SDKs use."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from sqlalchemy import Column, UnaryExpression
from sqlalchemy.sql.elements import ColumnElement

from largesse.kernel import clock
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid, invalid_query
from largesse.kernel.http.filter_parsing import UNSET, parse_filters
from largesse.kernel.http.filters import FilterColumn, Types, earlier, later, where

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
_PLAIN_INTEGER = re.compile(r"-?\d{1,18}")
_SORTABLE_ID = re.compile(r"[a-z]+_[0-9a-f]{18}")
_BRACKETED = re.compile(r"^\[?(\w+)\]?\[(\w+)\]$")


class Page(msgspec.Struct, frozen=True):
    """`limit` 1..100, `number` from 1."""

    limit: int
    number: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.limit


class Query:
    """The parameters of one request. Every reader raises ApiError 400 `invalid_query_params` on a value it cannot take."""

    def __init__(self, query_string: bytes) -> None:
        try:
            text = query_string.decode("ascii")
            self.pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=1000)
        except (UnicodeDecodeError, ValueError):
            raise invalid_query("The query string is not valid percent-encoded UTF-8") from None
        if any("\0" in name or "\0" in value for name, value in self.pairs):
            raise invalid_query("The query string contains a NUL character")

    @cached_property
    def _first(self) -> dict[str, str]:
        return dict(reversed(self.pairs))

    def text(self, name: str) -> str | None:
        return self._first.get(name) or None

    def all(self, name: str) -> list[str]:
        """Every value of a parameter that may repeat, or hold several separated by commas, or carry `[]` or `[n]`."""
        found = [value for key, value in self.pairs if key == name or re.fullmatch(re.escape(name) + r"\[\d*\]", key)]
        return [part for value in found for part in value.split(",") if part]

    def flag(self, name: str) -> bool | None:
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in ("true", "false"):
            raise invalid_query(f"Property .{name} should be boolean")
        return value.lower() == "true"

    def integer(self, name: str, low: int, high: int, default: int) -> int:
        value = self._first.get(name)
        if value is None:
            return default
        if not _PLAIN_INTEGER.fullmatch(value):
            raise invalid_query(f"Property .{name} should be integer")
        number = int(value)
        if number < low:
            raise invalid_query(f"Property .{name} cannot be lower than {low}")
        if number > high:
            raise invalid_query(f"Property .{name} cannot be higher than {high}")
        return number

    def one_of(self, name: str, allowed: Sequence[str]) -> str | None:
        value = self.text(name)
        if value is not None and value not in allowed:
            raise invalid_query(
                f"Property .{name} should be equal to one of the allowed values [ {', '.join(allowed)} ]"
            )
        return value

    def instant(self, name: str) -> int | None:
        """Microseconds UTC."""
        value = self.text(name)
        return None if value is None else _instant(name, value)

    def between(self, name: str) -> tuple[int | None, int | None]:
        """Exclusive bounds (after, before) of `name[after]`, `[name][before]`, …"""
        bounds: dict[str, int | None] = {"after": None, "before": None}
        for key, value in self.pairs:
            if (found := _BRACKETED.match(key)) and found[1] == name and value not in ("", UNSET):
                if found[2] not in bounds:
                    raise invalid_query(f"Property .{name}.{found[2]} is unknown; use after or before")
                bounds[found[2]] = _instant(name, value)
        return bounds["after"], bounds["before"]

    def page(self, max_page: int = 1000) -> Page:
        """`limit` and `page`. Beyond 1000 pages the key is `page_over_limit`; a lower `max_page` is `invalid_query_params`."""
        limit = self.limit()
        number = self._first.get("page")
        if max_page == 1000 and number and _PLAIN_INTEGER.fullmatch(number) and int(number) > max_page:
            raise page_over_limit()
        return Page(limit, self.integer("page", 1, max_page, 1))

    def limit(self, default: int = DEFAULT_LIMIT) -> int:
        return self.integer("limit", 1, MAX_LIMIT, default)

    def order(self, allowed: Mapping[str, Column[Any]], default: str, tie: Column[Any]) -> list[UnaryExpression[Any]]:
        """ORDER BY for `order=field` or `order=-field`; ties go by `tie` in the same direction."""
        wanted = self.text("order") or default
        name = wanted.removeprefix("-")
        if name not in allowed:
            raise invalid_query(f"Property .order should be one of {', '.join(f'{n}, -{n}' for n in allowed)}")
        column = allowed[name]
        columns = [column] if column is tie else [column, tie]
        return [c.desc() if wanted.startswith("-") else c.asc() for c in columns]

    def starting_after_id(self) -> str | None:
        """The id a keyset page begins after; it need not exist (our decision), but must look like one."""
        value = self.text("starting_after_id")
        if value is not None and not _SORTABLE_ID.fullmatch(value):
            raise invalid_query("Property .starting_after_id should be the id of the last row seen")
        return value

    def filtered(
        self, columns: Mapping[str, FilterColumn], unit: Unit, types: Types | None = None
    ) -> list[ColumnElement[bool]]:
        """The condition that the filters describe, if there are any; `types` of keys of metadata as `filters.where` takes them."""
        filters = parse_filters(self.pairs)
        condition = where(filters, columns, unit.now, unit.project.zone, types) if filters is not None else None
        return [] if condition is None else [condition]


def within(column: ColumnElement[int], bounds: tuple[int | None, int | None]) -> list[ColumnElement[bool]]:
    """Conditions for what `Query.between` found."""
    after, before = bounds
    conditions = []
    if after is not None:
        conditions.append(later(column, after))
    if before is not None:
        conditions.append(earlier(column, before))
    return conditions


def since_and_until(column: ColumnElement[int], query: Query) -> list[ColumnElement[bool]]:
    """Conditions for `start_date` and `end_date`, both included."""
    conditions = []
    if (start := query.instant("start_date")) is not None:
        conditions.append(column >= start)
    if (end := query.instant("end_date")) is not None:
        conditions.append(column <= end)
    return conditions


def page_over_limit() -> ApiError:
    return invalid(
        "page_over_limit",
        "Listing resource above 1000 page is not supported",
        "Property .page cannot be higher than 1000",
    )


def _instant(name: str, value: str) -> int:
    try:
        return clock.parse_iso(value.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise invalid_query(f"Property .{name} cannot be recognized as a ISO-8601 compliant date") from None
