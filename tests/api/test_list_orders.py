"""The orders that lists take, and the parameters that narrow them besides filters."""

from collections.abc import Iterator

import pytest

from tests.api.listed import Read, Shop, at, days_from_now, seeded
from tests.api.shop import amount, code, ok, redeem, refused
from tests.servers import Server

ODD = ("type", "code", "campaign", "category")  # documented of lists that have no such members: by creation
ORDERS: dict[str, tuple[str, dict[str, Read | None]]] = {
    "/v1/vouchers": ("vouchers", {"created_at": at("created_at"), "updated_at": None, "code": at("code")}),
    "/v1/campaigns": ("campaigns", {"created_at": at("created_at"), "updated_at": None}),
    "/v1/customers": ("customers", {"created_at": at("created_at"), "updated_at": None, "source_id": at("source_id")}),
    "/v1/redemptions": (
        "redemptions",
        {"created_at": at("date"), "id": at("id"), "voucher_code": None, "tracking_id": None, "customer_id": None},
    ),
    "/v1/publications": (
        "publications",
        {
            "id": at("id"),
            "voucher_code": None,
            "tracking_id": None,
            "customer_id": at("customer_id"),
            "created_at": at("created_at"),
            "channel": at("channel"),
        },
    ),
    "/v1/orders": ("orders", {"created_at": at("created_at"), "updated_at": None}),
    "/v1/products": (
        "products",
        {"created_at": at("created_at"), "updated_at": None, **dict.fromkeys(ODD, at("created_at"))},
    ),
    "/v1/product-collections": (
        "data",
        {"created_at": at("created_at"), "updated_at": None, **dict.fromkeys(ODD, at("created_at"))},
    ),
    "/v1/promotions/tiers": ("tiers", {"created_at": at("created_at"), "updated_at": None}),
    "/v1/promotions/stacks": ("data", {"created_at": at("created_at"), "updated_at": None, "name": at("name")}),
    "/v1/validation-rules": ("data", {"created_at": at("created_at"), "updated_at": None, "name": at("name")}),
    "/v1/validation-rules-assignments": ("data", {"created_at": at("created_at")}),
    "/v1/segments": ("data", {"created_at": at("created_at")}),
    "/v1/locations": ("data", {"created_at": at("created_at"), "updated_at": None}),
    "/v1/trash-bin": ("data", {"id": at("id")}),
    "/v1/loyalties": ("campaigns", {"created_at": at("created_at"), "updated_at": None}),
    "/v1/loyalties/Points/members": (
        "vouchers",
        {"created_at": at("created_at"), "updated_at": None, "code": at("code")},
    ),
    "/v1/loyalties/Points/transactions": ("data", {"id": at("id")}),
    "/v1/loyalties/Points/pending-points": ("data", {"id": at("id")}),
    "/v1/loyalties/Points/earning-rules": ("data", {"created_at": at("created_at"), "updated_at": None}),
    "/v1/loyalties/Points/tiers": ("data", {"created_at": at("created_at"), "updated_at": None}),
    "/v1/loyalties/members/{member}/transactions": ("data", {"id": at("id")}),
    "/v1/loyalties/members/{member}/pending-points": ("data", {"id": at("id")}),
    "/v1/loyalties/members/{member}/activity": ("data", {"created_at": at("created_at")}),
    "/v1/vouchers/{card}/transactions": ("data", {"id": at("id")}),
    "/v1/vouchers/{card}/publications": ("publications", {"id": at("id"), "created_at": at("created_at")}),
    "/v1/campaigns/Campaign 0/transactions": ("data", {"id": at("id")}),
    "/v1/customers/holder/redeemables": ("data", {"id": at("id")}),
    "/v1/customers/holder/activity": ("data", {"created_at": at("created_at")}),
    "/v1/customers/holder/activities": ("data", {"created_at": at("created_at"), **dict.fromkeys(ODD)}),
}


@pytest.fixture(scope="module")
def shop(server: Server) -> Iterator[Shop]:
    with server.client_for(server.new_project()) as client:
        yield seeded(client)


@pytest.mark.parametrize("path", ORDERS)
def test_every_list_takes_the_orders_it_documents_and_no_other(shop: Shop, path: str) -> None:
    member, orders = ORDERS[path]
    address = path.format(card=shop.card, member=shop.member)
    for order, read in orders.items():
        ascending = ok(shop.client.get(address, params={"order": order, "limit": 100}))[member]
        descending = ok(shop.client.get(address, params={"order": f"-{order}", "limit": 100}))[member]
        assert descending == ascending[::-1], order
        if read is not None:
            values = [read(row) or "" for row in ascending]
            assert values == sorted(values) or ("created_at" not in order and len(set(values)) == 1), (order, values)
    for parameters in ({"order": "colour"}, {"order": "--created_at"}, {"limit": 0}, {"limit": 101}, {"limit": "x"}):
        refused(shop.client.get(address, params=parameters), 400, "invalid_query_params")


@pytest.mark.parametrize(("path", "member"), [("/v1/campaigns", "campaigns"), ("/v1/publications", "publications")])
def test_referrals_are_asked_for_or_left_out(shop: Shop, path: str, member: str) -> None:
    everything = ok(shop.client.get(path, params={"limit": 100}))[member]
    assert ok(shop.client.get(path, params={"limit": 100, "is_referral_code": "False"}))[member] == everything
    assert ok(shop.client.get(path, params={"limit": 100, "is_referral_code": "true"}))[member] == []
    refused(shop.client.get(path, params={"is_referral_code": "maybe"}), 400, "invalid_query_params")


def test_activity_is_narrowed_before_it_is_paged(server: Server) -> None:
    with server.client_for(server.new_project()) as client:
        sent = {"name": "Sale", "campaign_type": "DISCOUNT_COUPONS"}
        sent["voucher"] = {"type": "DISCOUNT_VOUCHER", "discount": amount(1)}
        campaign = ok(client.post("/v1/campaigns", json=sent))
        of_campaign = ok(client.post(f"/v1/campaigns/{campaign['id']}/vouchers", json={}))["code"]
        for one in (of_campaign, code(client, amount(1))):
            redeem(client, one, order=1000, customer={"source_id": "C"})

        def types(query: str) -> tuple[list[str], int]:
            found = ok(client.get(f"/v1/customers/C/activity?limit=100&{query}"))
            assert found["total"] == len(found["data"])
            return [row["type"] for row in found["data"]], found["total"]

        assert types("category=EFFECT") == ([], 0)
        assert types("category=ACTION") == types("")
        assert types(f"campaign_id={campaign['id']}") == (["customer.redemption.succeeded"], 1)
        assert types("campaign_type=DISCOUNT_COUPONS") == (["customer.redemption.succeeded"], 1)
        assert types("campaign_type=GIFT_VOUCHERS") == ([], 0)
        refused(client.get("/v1/customers/C/activity?campaign_type=X"), 400, "invalid_query_params")
        first = ok(client.get("/v1/customers/C/activity?limit=2&category=ACTION"))
        assert (len(first["data"]), first["has_more"]) == (2, True)


def test_skus_are_listed_from_and_to_a_date(server: Server) -> None:
    with server.client_for(server.new_project()) as client:
        product = ok(client.post("/v1/products", json={"name": "Mug"}))
        path = f"/v1/products/{product['id']}/skus"
        ok(client.post(path, json={"sku": "red"}))
        assert len(ok(client.get(f"{path}?start_date={days_from_now(-1)}"))["skus"]) == 1
        assert ok(client.get(f"{path}?end_date={days_from_now(-1)}"))["total"] == 0
        refused(client.get(f"{path}?start_date=soon"), 400, "invalid_query_params")
