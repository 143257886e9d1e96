"""Exports through the official Python SDK, unmodified: it refuses whatever does not fit its description of the API."""

import json
from typing import Any

import httpx
import voucherify

from tests.api.loyalty import MONTH, Program
from tests.api.shop import code, percent
from tests.servers import Server
from tests.waiting import wait_until


class Exports:
    """The SDK's exports of a server."""

    def __init__(self, server: Server) -> None:
        self.api = voucherify.ExportsApi(server.sdk())

    def content(self, id: str) -> str:
        wait_until(lambda: self.api.get_export(id).status == "DONE")
        url: str = self.api.get_export(id).result.url
        return httpx.get(url).text


def test_cards_are_exported(server: Server) -> None:
    program = Program(server, MONTH, points=10)
    card = program.card()
    program.add(card, 5)
    exports, loyalties = Exports(server), voucherify.LoyaltiesApi(server.sdk())
    for made in (
        loyalties.export_loyalty_card_transactions(card),
        loyalties.export_loyalty_card_transactions1(program.id, card),
    ):
        assert (made.status, made.exported_object) == ("SCHEDULED", "voucher_transactions")
        assert exports.content(made.id).startswith("ID,Type,Source ID,Reason,Source,Balance,Amount,Created At\nvtx_")
    asked = voucherify.LoyaltiesPointsExpirationExportCreateRequestBodyParameters(fields=["points"])
    made = loyalties.create_points_expiration_export(
        program.id,
        loyalties_points_expiration_export_create_request_body=(
            voucherify.LoyaltiesPointsExpirationExportCreateRequestBody(parameters=asked)
        ),
    )
    assert exports.content(made.id) == "Points\n5\n10\n"
    listed = exports.api.list_exports()
    assert (listed.total, len(listed.exports)) == (3, 3)
    exports.api.delete_export(made.id)
    assert exports.api.list_exports().total == 2


def test_campaigns_and_codes_are_exported(server: Server) -> None:
    """What comes back is not read by the SDK: it takes the ids in the filter to be single letters."""
    program = Program(server, points=10)
    card = program.card()
    program.add(card, 5)
    sdk = server.sdk()
    answers: list[Any] = [
        voucherify.LoyaltiesApi(sdk).export_loyalty_campaign_transactions_without_preload_content(
            program.id,
            loyalties_transactions_export_create_request_body=voucherify.LoyaltiesTransactionsExportCreateRequestBody(),
        ),
        voucherify.VouchersApi(sdk).export_voucher_transactions_without_preload_content(
            card,
            vouchers_transactions_export_create_request_body=voucherify.VouchersTransactionsExportCreateRequestBody(),
        ),
        voucherify.CampaignsApi(sdk).export_campaign_transactions_without_preload_content(
            program.id,
            campaigns_transactions_export_create_request_body=voucherify.CampaignsTransactionsExportCreateRequestBody(),
        ),
    ]
    for answer in answers:
        made = json.loads(answer.data)
        assert Exports(server).content(made["id"]).startswith("ID,Type,")


def test_objects_are_exported(server: Server) -> None:
    made_code = code(server.client, percent(5))
    exports = Exports(server)
    filters = {"junction": "and", "code": {"conditions": {"$in": [made_code]}}}
    sent = {"exported_object": "voucher", "parameters": {"fields": ["code", "value"], "filters": filters}}
    made = exports.api.create_export(voucherify.ExportsCreateRequestBody.from_dict(sent))
    assert exports.content(made.id) == f"Code,Value\n{made_code},5\n"
    orders = voucherify.OrdersApi(server.sdk()).create_order_export(
        orders_export_create_request_body=voucherify.OrdersExportCreateRequestBody()
    )
    assert exports.content(orders.id).startswith("ID,Source ID,Status\n")
