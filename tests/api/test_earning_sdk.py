"""Earning points and reaching tiers through the official Python SDK, unmodified."""

from typing import Any

import voucherify

from tests.api.shop import name
from tests.servers import Server


def test_a_paid_order_earns_points_and_a_tier(server: Server) -> None:
    sdk: Any = server.sdk()
    loyalties, orders = voucherify.LoyaltiesApi(sdk), voucherify.OrdersApi(sdk)
    program = loyalties.create_loyalty_program(
        voucherify.LoyaltiesCreateCampaignRequestBody.from_dict(
            {
                "name": name("Program"),
                "type": "AUTO_UPDATE",
                "voucher": {"type": "LOYALTY_CARD", "loyalty_card": {"points": 0}},
            }
        )
    )
    earning_rule = voucherify.LoyaltiesEarningRulesCreateRequestBodyItem.from_dict(
        {
            "event": "order.paid",
            "loyalty": {
                "type": "PROPORTIONAL",
                "calculation_type": "ORDER_TOTAL_AMOUNT",
                "order": {"total_amount": {"every": 500, "points": 10}},
            },
            "source": {"banner": "Ten for five"},
        }
    )
    [rule] = loyalties.create_earning_rule(program.id, [earning_rule])
    assert (rule.id[:4], rule.active, rule.source.banner) == ("ern_", True, "Ten for five")
    assert loyalties.list_earning_rules(program.id).total == 1
    tier = voucherify.LoyaltiesTiersCreateInBulkRequestBodyItem.from_dict(
        {
            "name": "Silver",
            "points": {"from": 900, "to": 2000},
            "earning_rules": {rule.id: {"type": "MULTIPLY", "multiplier": 2}},
        }
    )
    [silver] = loyalties.create_in_bulk_loyalty_tiers(program.id, [tier])
    assert loyalties.get_loyalty_tier(program.id, silver.id).name == "Silver"
    customer = name("cust")
    member = loyalties.add_member(
        program.id, voucherify.LoyaltiesMembersCreateRequestBody.from_dict({"customer": {"source_id": customer}})
    )
    for paid in (45_000, 500):
        orders.create_order(
            orders_create_request_body=voucherify.OrdersCreateRequestBody.from_dict(
                {"status": "PAID", "amount": paid, "customer": {"source_id": customer}}
            )
        )
    assert loyalties.get_member(member.code).loyalty_card.balance == 920
    [held] = loyalties.list_member_loyalty_tier(member.code).data
    assert (held.name, held.expiration.tier_id) == ("Silver", silver.id)
    moves = loyalties.list_loyalty_card_transactions(member.code).data
    assert [(one.type, one.details.balance.points) for one in moves] == [
        ("POINTS_ACCRUAL", 20),
        ("POINTS_ACCRUAL", 900),
    ]
    assert moves[0].details.earning_rule.source.banner == "Ten for five"
    assert loyalties.disable_earning_rule(program.id, rule.id).active is False
    assert [one.id for one in loyalties.list_loyalty_tier_earning_rules(program.id, silver.id).data] == [rule.id]
    loyalties.delete_earning_rule(program.id, rule.id)
