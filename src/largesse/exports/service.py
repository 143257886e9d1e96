"""Use cases of exports."""

import hmac
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.loyalties.cards.service as cards
import largesse.vouchers.service as vouchers
from largesse.campaigns.model import GIFT_VOUCHERS, LOYALTY_PROGRAM
from largesse.exports import store
from largesse.exports.asking import Scope, checked
from largesse.exports.jobs import EXPORT
from largesse.exports.model import (
    ExportAnswer,
    ExportCreate,
    ExportList,
    Parameters,
    Result,
    StoredExport,
    VoucherParameters,
)
from largesse.kernel import clock, ids
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import forbidden, invalid_payload, not_found, unauthorized
from largesse.kernel.exporting import Source
from largesse.kernel.http.query import Query
from largesse.kernel.jobs.queue import enqueue
from largesse.loyalties.lookups import existing_program

TRANSACTIONS = "voucher_transactions"
EXPIRATIONS = "points_expiration"
VOUCHERS = "voucher"
ORDERS = "order"
_ORDERS = {name: store.exports.c[name] for name in ("created_at", "status")}
_TOKEN_LENGTH = 40  # alphanumerics, 238 bits


class Desk:
    """Takes orders for exports of `sources`, which are what can be exported under the API's names."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources

    def create(self, unit: Unit, sent: ExportCreate, base_url: str, days: int) -> ExportAnswer:
        """Raises ApiError 400 `invalid_payload`, `invalid_export_fields`, `invalid_export_params`; 404 for a campaign named."""
        if sent.exported_object not in self._sources:
            allowed = ", ".join(self._sources)
            raise invalid_payload(
                f"Property .exported_object should be equal to one of the allowed values [ {allowed} ]"
            )
        parameters = sent.parameters or VoucherParameters()
        scope: Scope = {}
        if sent.exported_object == VOUCHERS and parameters.campaign_id:
            scope = {"campaign_id": campaigns.find(unit, parameters.campaign_id).id}
        checked_parameters = checked(unit, self._sources[sent.exported_object], parameters, {})
        return self._add(unit, sent.exported_object, checked_parameters, scope, base_url, days)

    def scoped(
        self, unit: Unit, exported: str, sent: Parameters, scope: Scope, base_url: str, days: int
    ) -> ExportAnswer:
        """An export of what the scope holds, kept for so many days once asked for. Raises ApiError 400 as `create`."""
        parameters = checked(unit, self._sources[exported], sent, scope)
        return self._add(unit, exported, parameters, scope, base_url, days)

    def _add(
        self, unit: Unit, exported: str, parameters: dict[str, Any], scope: Scope, base_url: str, days: int
    ) -> ExportAnswer:
        new = StoredExport(
            id=ids.text_id("exp_"),
            exported_object=exported,
            parameters=parameters,
            status="SCHEDULED",
            token=f"{unit.project_id}.{ids.random_text(_TOKEN_LENGTH)}",
            size=0,
            created_at=unit.now,
            kept_until=unit.now + days * clock.DAY,
        )
        store.add(unit.conn, unit.project_id, new)
        enqueue(unit, EXPORT, {"export_id": new.id, "scope": scope, "base_url": base_url})
        return _answer(new, base_url)


def scope_of_campaign(unit: Unit, key: str) -> Scope:
    """The transactions of a campaign's codes. Raises ApiError 404, 403 for codes that hold neither credit nor points."""
    found = campaigns.find(unit, key)
    if found.campaign_type not in (GIFT_VOUCHERS, LOYALTY_PROGRAM):
        raise forbidden("Transactions are allowed only for loyalty or gift campaigns")
    return {"campaign_id": found.id}


def scope_of_program(unit: Unit, key: str) -> Scope:
    """The buckets of a program's cards. Raises ApiError 404."""
    return {"campaign_id": existing_program(unit, key).id}


def scope_of_card(unit: Unit, key: str, campaign: str | None) -> Scope:
    """The transactions of a member's card. Raises ApiError 404 for program or card."""
    return {"voucher_id": cards.find(unit, key, campaign).entry.id}


def scope_of_voucher(unit: Unit, code: str) -> Scope:
    """The transactions of a voucher; a discount has none. Raises ApiError 404."""
    return {"voucher_id": vouchers.id_of(unit, code)}


def list_exports(unit: Unit, query: Query, base_url: str) -> ExportList:
    page = query.page()
    order = query.order(_ORDERS, "-created_at", store.exports.c.id)
    found, total = store.page(unit.conn, unit.project_id, order, limit=page.limit, offset=page.offset)
    return ExportList(exports=[_answer(export, base_url) for export in found], total=total)


def get(unit: Unit, id: str, base_url: str) -> ExportAnswer:
    """Raises ApiError 404."""
    found = store.by_id(unit.conn, unit.project_id, id)
    if found is None:
        raise not_found("export", id)
    return _answer(found, base_url)


def delete(unit: Unit, id: str) -> None:
    """With its file, whose address opens nothing any more. Raises ApiError 404."""
    if not store.remove(unit.conn, unit.project_id, id):
        raise not_found("export", id)


# The file


def open_file(conn: Connection, id: str, token: str, now: int) -> tuple[str, StoredExport]:
    """The project and export that a token opens.

    Raises ApiError 401 for a token that opens nothing, 404 while the file is not ready and once it is no longer kept.
    """
    project_id = token.rpartition(".")[0]  # tokens carry it, so that no other project is asked
    found = store.by_id(conn, project_id, id) if project_id else None
    if not hmac.compare_digest((found.token if found else "").encode(), token.encode()) or found is None:
        raise unauthorized()
    if found.status != "DONE" or found.kept_until <= now:
        raise not_found("export", id)
    return project_id, found


def part_of_file(conn: Connection, project_id: str, id: str, number: int) -> bytes | None:
    """One part of a file, counted from 0; None behind the last."""
    content = store.part(conn, project_id, id, number)
    return None if content is None else content.encode()


def _answer(export: StoredExport, base_url: str) -> ExportAnswer:
    done = export.status == "DONE"
    return ExportAnswer(
        id=export.id,
        created_at=clock.iso(export.created_at),
        status=export.status,
        exported_object=export.exported_object,
        parameters=export.parameters,
        result=Result(f"{base_url}/v1/exports/{export.id}?token={export.token}") if done else None,
    )
