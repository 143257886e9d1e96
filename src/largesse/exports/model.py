"""Exports as asked for, stored and shown."""

from typing import Any, Literal

import msgspec

Status = Literal["SCHEDULED", "IN_PROGRESS", "DONE", "ERROR"]


class Parameters(msgspec.Struct, kw_only=True):
    """What an export holds: `fields` in the order of its columns, `filters` as lists take them, as a document."""

    order: str | None = None
    fields: list[str] | None = None
    filters: dict[str, Any] | None = None


class VoucherParameters(Parameters, kw_only=True):
    campaign_id: str | None = None  # the one campaign whose codes are exported


class ExportCreate(msgspec.Struct, kw_only=True):
    exported_object: str
    parameters: VoucherParameters | None = None


class ScopedExportCreate(Parameters, kw_only=True):
    """An export of what belongs to one object: parameters stand in the body itself, too (documented)."""

    parameters: Parameters | None = None

    @property
    def wanted(self) -> Parameters:
        """What stands inside `parameters` wins."""
        inner = self.parameters or Parameters()
        return Parameters(
            order=inner.order or self.order,
            fields=inner.fields or self.fields,
            filters=inner.filters or self.filters,
        )


class StoredExport(msgspec.Struct, kw_only=True):
    """`token` opens the file until `kept_until`, `size` is its length in bytes. Times in microseconds UTC."""

    id: str
    exported_object: str
    parameters: dict[str, Any]
    status: Status
    token: str
    size: int
    created_at: int
    kept_until: int


class Result(msgspec.Struct):
    url: str


class ExportAnswer(msgspec.Struct, kw_only=True):
    id: str
    object: Literal["export"] = "export"
    created_at: str
    status: Status
    channel: Literal["API", "WEBSITE"] = "API"
    exported_object: str
    parameters: dict[str, Any]
    result: Result | None
    user_id: str | None = None


class ExportList(msgspec.Struct, kw_only=True):
    object: Literal["list"] = "list"
    data_ref: Literal["exports"] = "exports"
    exports: list[ExportAnswer]
    total: int
