"""What may be asked of an export, checked before anything is written."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy.sql.elements import ColumnElement

from largesse.exports.lines import METADATA
from largesse.exports.model import Parameters
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid, invalid_payload
from largesse.kernel.exporting import Source
from largesse.kernel.http.filter_parsing import Filters, read_document
from largesse.kernel.http.filters import OPERATORS, where
from largesse.metadata_schemas.service import schemas_of

Scope = Mapping[str, str]  # field → the one value it must have, whatever the caller's filters say


def checked(unit: Unit, source: Source, sent: Parameters, scope: Scope) -> dict[str, Any]:
    """The parameters to be stored, with the filter of the scope.

    Raises ApiError 400 `invalid_export_fields`, `invalid_export_params`, `invalid_payload` for filters of a wrong form.
    """
    for field in sent.fields or ():
        key = field.removeprefix(f"{METADATA}.") if METADATA in source.fields else field
        if field not in source.fields and (key == field or not key):
            allowed = ", ".join(source.fields)
            raise invalid(
                "invalid_export_fields", "Invalid Export", f"Unsupported field used. Allowed fields: {allowed}"
            )
    if sent.order is not None and sent.order.removeprefix("-") not in source.orders:
        allowed = ", ".join(f"{name}, -{name}" for name in source.orders)
        raise _invalid_params(f"Property .parameters.order should be one of {allowed}")
    filters = dict(sent.filters or {})
    conditions(unit, source, filters, {})
    filters |= {field: _only(value) for field, value in scope.items()}
    if filters:
        filters["junction"] = filters.get("junction") or "and"
    found: dict[str, Any] = {name: value for name, value in msgspec.structs.asdict(sent).items() if value is not None}
    return found | ({"filters": filters} if filters else {})


def conditions(unit: Unit, source: Source, filters: dict[str, Any], scope: Scope) -> list[ColumnElement[bool]]:
    """What the filters ask and, in any case, the scope. Raises ApiError 400."""
    # Joined by OR, the filter of the scope would let everything in it pass.
    own = {name: node for name, node in filters.items() if name not in scope or node != _only(scope[name])}
    asked = _where(unit, source, own)
    found = [source.filters[field].column == value for field, value in scope.items()]
    return found if asked is None else [*found, asked]


def _only(value: str) -> dict[str, Any]:
    return {"conditions": {"$in": [value]}}


def _where(unit: Unit, source: Source, filters: dict[str, Any]) -> ColumnElement[bool] | None:
    try:
        read = read_document(filters)
    except ApiError as error:
        raise invalid_payload(_placed(error)) from None
    _check_operators(read)
    schema = source.schema
    types = (lambda: schemas_of(unit).types(schema)) if schema is not None else None
    try:
        return where(read, source.filters, unit.now, unit.project.zone, types)
    except ApiError as error:
        raise _invalid_params(_placed(error)) from None


def _check_operators(filters: Filters) -> None:
    for field, asked in filters.fields.items():
        for operator in asked:
            if operator not in OPERATORS:
                raise invalid_payload(
                    f"Property .parameters.filters.{field}.conditions.{operator} is unknown; operators are "
                    + ", ".join(OPERATORS)
                )


def _placed(error: ApiError) -> str:
    return (error.refusal.details or "").replace("Property .filters", "Property .parameters.filters")


def _invalid_params(details: str) -> ApiError:
    return invalid("invalid_export_params", "Invalid Export", details)
