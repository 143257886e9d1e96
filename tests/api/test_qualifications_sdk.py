"""Qualifications and wallets through the official Python SDK, unmodified."""

from typing import Any

import voucherify

from tests.api.promotions import promotion, stack, tier, tier_ids
from tests.api.shop import amount, gift, name, ok, percent
from tests.servers import Server


def _sent(**body: Any) -> Any:
    return voucherify.QualificationsCheckEligibilityRequestBody.from_dict(body)


def test_what_qualifies_is_read_page_by_page_through_the_sdk(server: Server) -> None:
    api, client = voucherify.QualificationsApi(server.sdk()), server.client
    made = promotion(client, *[tier(percent(10), metadata={"n": n}) for n in range(3)])
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        filters = {"campaign_id": {"conditions": {"$is": [made["id"]]}}}
        options = {"limit": 2, "expand": ["redeemable", "category", "validation_rules"], "filters": filters}
        if cursor is not None:
            options["starting_after"] = cursor
        answer = api.check_eligibility(_sent(order={"amount": 1_000}, scenario="ALL", options=options))
        assert answer.stacking_rules.redeemables_limit == 30
        assert answer.order.amount == 1_000
        for one in answer.redeemables.data:
            assert (one.object, one.order.total_amount, one.campaign_id) == ("promotion_tier", 900, made["id"])
            assert one.result.discount.percent_off == 10
            seen.append(one.id)
        cursor = answer.redeemables.more_starting_after
        if not answer.redeemables.has_more:
            break
    assert seen == tier_ids(made)


def test_stacks_and_cards_qualify_through_the_sdk(server: Server) -> None:
    api, client = voucherify.QualificationsApi(server.sdk()), server.client
    campaign = promotion(client, tier(percent(10)), tier(amount(50)))
    made = stack(client, campaign, tier_ids(campaign))
    found = api.check_eligibility(_sent(order={"amount": 1_000}, scenario="PROMOTION_STACKS"))
    [shown] = [one for one in found.redeemables.data if one.id == made]
    assert [one.order.total_amount for one in shown.redeemables] == [900, 850]

    holder = name("ann")
    card = gift(client, 700)
    ok(client.post("/v1/publications", json={"customer": {"source_id": holder}, "voucher": card}))
    body = _sent(customer={"source_id": holder}, scenario="CUSTOMER_WALLET", order={"amount": 1_000})
    [held] = api.check_eligibility(body).redeemables.data
    assert (held.id, held.result.gift.balance, held.result.gift.credits) == (card, 700, 700)

    wallet = voucherify.CustomersApi(server.sdk()).list_customer_redeemables(holder)
    [entry] = wallet.data
    assert (entry.redeemable.voucher.code, entry.redeemable.status, wallet.total) == (card, "ACTIVE", 1)
