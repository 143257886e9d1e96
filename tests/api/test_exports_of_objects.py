"""Exports of vouchers, redemptions, customers and all else: the rows are those of the lists."""

import csv
import io
from typing import Any

import httpx
import pytest

from tests.api.exported import exported, finished, rows, text
from tests.api.loyalty import Program
from tests.api.shop import amount, asks, code, gift, name, ok, percent, refused
from tests.servers import Server
from tests.waiting import wait_until

ALL: dict[str, str] = {
    "voucher": "code voucher_type value formula discount_type campaign category start_date expiration_date gift_balance"
    " loyalty_balance redemption_quantity redemption_count active qr_code bar_code metadata id is_referral_code created_at"
    " updated_at validity_timeframe_interval validity_timeframe_duration validity_day_of_week discount_amount_limit"
    " campaign_id additional_info customer_id discount_effect discount_unit_type discount_unit_effect validation_rules_id"
    " customer_source_id",
    "redemption": "id object date voucher_code campaign promotion_tier_id customer_id customer_source_id customer_name"
    " tracking_id order_id order_amount gift_amount loyalty_points result failure_code failure_message metadata",
    "customer": "name id description email source_id created_at updated_at phone birthday birthdate metadata address_city"
    " address_state address_line_1 address_line_2 address_country address_postal_code redemptions_total_redeemed"
    " redemptions_total_failed redemptions_total_succeeded redemptions_total_rolled_back redemptions_total_rollback_failed"
    " redemptions_total_rollback_succeeded orders_total_amount orders_total_count orders_average_amount"
    " orders_last_order_amount orders_last_order_date loyalty_points loyalty_referred_customers",
    "publication": "voucher_code customer_id customer_source_id date channel campaign is_winner metadata",
    "order": "id source_id created_at updated_at status amount discount_amount items_discount_amount total_discount_amount"
    " total_amount customer_id referrer_id metadata",
    "product": "id name price image_url source_id attributes created_at metadata updated_at",
    "sku": "id sku product_id currency price image_url source_id attributes created_at metadata updated_at",
}
DEFAULT_HEADERS = {
    "voucher": "Code,Voucher Type,Value,Discount Type",
    "redemption": "ID,Object,Voucher Code,Customer ID,Date,Result",
    "customer": "Name,Source ID",
    "publication": "Voucher Code,Customer ID,Date,Channel",
    "order": "ID,Source ID,Status",
    "product": "ID,Name,Price,Image URL,Source ID,Attributes,Created At",
    "sku": "ID,SKU,Product ID,Currency,Price,Image URL,Source ID,Attributes,Created At",
}
ORDERS = {
    "voucher": "created_at updated_at code",
    "redemption": "id voucher_code tracking_id customer_id created_at",
    "customer": "name id email source_id created_at updated_at",
    "publication": "id voucher_code tracking_id customer_id created_at channel",
    "order": "created_at updated_at status",
    "product": "created_at",
    "sku": "created_at",
}


class Shop:
    """A project in which everything has happened once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.keys = server.new_project()
        self.client = client = server.client_for(self.keys)
        self.ann = ok(
            client.post(
                "/v1/customers",
                json={
                    "source_id": "ann",
                    "name": "=HYPERLINK(evil)",
                    "phone": "+48 600-100-200",
                    "email": "ann@example.com",
                    "address": {"city": "Łódź", "line_1": '7 "Rose", lane'},
                    "metadata": {"level": 3},
                },
            )
        )
        self.bob = ok(client.post("/v1/customers", json={"source_id": "bob"}))
        self.code = code(client, percent(10, amount_limit=500), quantity=5, category="Fall", metadata={"a": [1, "b"]})
        self.card = gift(client, 20_000)
        ok(client.post("/v1/publications", json={"customer": {"id": self.ann["id"]}, "voucher": self.code}))
        sent: dict[str, Any] = {"customer": {"id": self.ann["id"]}, "order": {"source_id": "o-1", "amount": 10_000}}
        sent["redeemables"] = asks(self.code)
        ok(client.post("/v1/redemptions", json=sent))
        self.spend = {"redeemables": asks((self.card, 700)), "order": {"source_id": "o-2", "amount": 2_000}}
        ok(client.post("/v1/redemptions", json=self.spend))
        client.post("/v1/redemptions", json={"redeemables": asks(code(client, amount(1), active=False))})
        self.product = ok(
            client.post("/v1/products", json={"source_id": "p", "name": "Tea", "price": 500, "attributes": ["a", "b"]})
        )
        ok(client.post(f"/v1/products/{self.product['id']}/skus", json={"sku": "Big", "attributes": {"a": "x"}}))


@pytest.fixture(scope="module")
def shop(server: Server) -> Shop:
    return Shop(server)


@pytest.mark.parametrize("what", ALL)
def test_every_field_and_order_of_every_object_is_exported(shop: Shop, what: str) -> None:
    made = ok(shop.client.post("/v1/exports", json={"exported_object": what}))
    assert made["parameters"] == {}
    assert text(shop.client, made).split("\n")[0] == DEFAULT_HEADERS[what]
    fields = ALL[what].split()
    whole = exported(shop.client, what, *fields)
    assert whole
    for order in ORDERS[what].split():
        ascending = exported(shop.client, what, *fields, order=order)
        assert exported(shop.client, what, *fields, order=f"-{order}") == ascending[::-1]
        assert sorted(map(str, ascending)) == sorted(map(str, whole))
    refused(
        shop.client.post("/v1/exports", json={"exported_object": what, "parameters": {"fields": ["foo"]}}),
        400,
        "invalid_export_fields",
    )


def test_vouchers_are_exported_with_what_they_are_worth(shop: Shop) -> None:
    fields = ALL["voucher"].split()
    by_code = {row["Code"]: row for row in exported(shop.client, "voucher", *fields)}
    listed = ok(shop.client.get("/v1/vouchers?limit=100"))["vouchers"]
    assert set(by_code) == {one["code"] for one in listed}
    one, row = ok(shop.client.get(f"/v1/vouchers/{shop.code}")), by_code[shop.code]
    assert (row["Value"], row["Discount Type"], row["Discount Amount Limit"]) == ("10", "PERCENT", "5.00")
    assert (row["Redemption Quantity"], row["Redemption Count"]) == ("5", "1")
    assert (row["ID"], row["Category"], row["Active"]) == (one["id"], "Fall", "true")
    assert (row["QR Code"], row["Bar Code"]) == (one["assets"]["qr"]["url"], one["assets"]["barcode"]["url"])
    assert (row["Customer ID"], row["Customer Source ID"]) == (shop.ann["id"], "ann")
    assert (row["Metadata"], row["Created At"]) == ('{"a":[1,"b"]}', one["created_at"])
    card = by_code[shop.card]
    assert (card["Voucher Type"], card["Value"], card["Gift Balance"]) == ("GIFT_VOUCHER", "193.00", "193.00")
    assert card["Discount Type"] == ""


def test_redemptions_are_exported_with_customers_and_amounts(shop: Shop) -> None:
    found = exported(shop.client, "redemption", *ALL["redemption"].split())
    listed = ok(shop.client.get("/v1/redemptions?limit=100"))["redemptions"]
    assert [row["ID"] for row in found] == [one["id"] for one in listed]
    failed, spent, discounted = found
    assert (failed["Result"], failed["Failure Code"]) == ("FAILURE", "voucher_disabled")
    assert (spent["Gift Amount"], spent["Loyalty Points"], spent["Order Amount"]) == ("700", "", "2000")
    assert (discounted["Customer Source ID"], discounted["Gift Amount"]) == ("ann", "")
    assert (discounted["Voucher Code"], discounted["Object"]) == (shop.code, "redemption")


def test_customers_are_exported_with_addresses_and_sums_but_without_formulas(shop: Shop) -> None:
    fields = ALL["customer"].split()
    ann = exported(shop.client, "customer", *fields, filters={"address.city": {"conditions": {"$is": ["Łódź"]}}})
    assert ann == exported(shop.client, "customer", *fields, filters={"city": {"conditions": {"$is": ["Łódź"]}}})
    (row,) = ann
    assert (row["Name"], row["Phone"]) == ("'=HYPERLINK(evil)", "+48 600-100-200")
    assert (row["Address City"], row["Address Line 1"]) == ("Łódź", '7 "Rose", lane')
    assert (row["Redemptions Total Succeeded"], row["Orders Total Amount"]) == ("1", "9500")
    assert row["Metadata"] == '{"level":3}'
    asked = {"summary.redemptions.total_redeemed": {"conditions": {"$more_than": [0]}}, "junction": "and"}
    assert [row["Source ID"] for row in exported(shop.client, "customer", filters=asked)] == ["ann"]


def test_orders_products_and_publications_are_those_of_their_lists(shop: Shop) -> None:
    client = shop.client
    orders = rows(client, "/v1/orders/export", parameters={"order": "created_at", "fields": ALL["order"].split()})
    for row, one in zip(orders, ok(client.get("/v1/orders"))["orders"], strict=True):
        assert (row["ID"], row["Source ID"], row["Status"]) == (one["id"], one["source_id"], one["status"])
        for field in ("amount", "total_amount", "total_discount_amount"):
            assert row[field.replace("_", " ").title()] == str(one[field])
    expensive = {"total_amount": {"conditions": {"$more_than": [5000]}}}
    assert [row["Source ID"] for row in exported(client, "order", filters=expensive)] == ["o-1"]
    (tea,) = exported(client, "product")
    assert (tea["ID"], tea["Price"], tea["Attributes"]) == (shop.product["id"], "500", "a,b")
    (big,) = exported(client, "sku")
    assert (big["SKU"], big["Product ID"], big["Attributes"]) == ("Big", shop.product["id"], '{"a":"x"}')
    (published,) = exported(client, "publication", *ALL["publication"].split())
    assert (published["Voucher Code"], published["Customer Source ID"]) == (shop.code, "ann")


def test_loyalty_cards_and_their_holders_are_exported_with_their_points(server: Server) -> None:
    program = Program(server, points=40)
    card = program.card()
    made = {"campaign_id": program.id, "fields": ["code", "value", "loyalty_balance"]}
    export = ok(server.client.post("/v1/exports", json={"exported_object": "voucher", "parameters": made}))
    assert export["parameters"] == made
    assert text(server.client, export) == f"Code,Value,Loyalty Balance\n{card},40,40\n"
    assert [row["Loyalty Points"] for row in exported(server.client, "customer", "loyalty_points")] == ["40"]


def test_metadata_become_a_column_for_each_key_of_their_schema(client: httpx.Client) -> None:
    first = code(client, percent(5), metadata={"season": "Fall", "other": 1})
    assert exported(client, "voucher", "metadata.season") == [{"season": "Fall"}]
    sent = {"related_object": "voucher", "properties": {"season": {"type": "string"}, "size": {"type": "number"}}}
    ok(client.post("/v1/metadata-schemas", json=sent))
    code(client, percent(5), metadata={"season": "Spring", "size": 2})
    found = exported(client, "voucher", "metadata", "code", order="created_at")
    assert list(found[0]) == ["season", "size", "Code"]
    assert [(row["season"], row["size"]) for row in found] == [("Fall", ""), ("Spring", "2")]
    small = {"metadata.size": {"conditions": {"$less_than": [3]}}}
    assert [row["season"] for row in exported(client, "voucher", "metadata.season", filters=small)] == ["Spring"]
    assert first


def test_an_export_goes_on_where_a_crash_stopped_it(server: Server) -> None:
    client = server.client
    voucher = {"type": "DISCOUNT_VOUCHER", "discount": percent(5)}
    campaign = ok(client.post("/v1/campaigns", json={"name": name(), "voucher": voucher, "vouchers_count": 5000}))
    path = f"/v1/campaigns/{campaign['id']}"
    wait_until(lambda: ok(client.get(path))["vouchers_generation_status"] == "DONE")
    asked = {"campaign_id": campaign["id"], "fields": ["id"], "order": "code"}
    made = ok(client.post("/v1/exports", json={"exported_object": "voucher", "parameters": asked}))
    wait_until(lambda: ok(client.get(f"/v1/exports/{made['id']}"))["status"] != "SCHEDULED")
    server.kill()
    server.start()
    content = httpx.get(finished(server.client, made)["result"]["url"]).text
    found = [row["ID"] for row in csv.DictReader(io.StringIO(content))]
    assert (len(found), len(set(found))) == (5000, 5000)
