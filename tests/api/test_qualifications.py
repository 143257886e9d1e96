"""Qualifications: what a customer with this cart could use, each calculated alone."""

from typing import Any

import httpx
import pytest

from tests.api.promotions import entry, new_tier, product, promotion, rule, stack, tier, tier_ids
from tests.api.shop import amount, code, fixed, gift, name, ok, percent, refused
from tests.servers import Server


@pytest.fixture
def client(server: Server) -> httpx.Client:
    """Of a project of its own, so that nothing qualifies but what a test makes."""
    return server.client_for(server.new_project())


def qualified(client: httpx.Client, **body: Any) -> Any:
    """What an answer lists."""
    return ok(client.post("/v1/qualifications", json=body))["redeemables"]


def ids(found: Any) -> list[str]:
    return [one["id"] for one in found["data"]]


def conditions(client: httpx.Client, *leaves: dict[str, Any], **more: Any) -> str:
    """The id of a rule with these conditions, all of which must hold."""
    rules = {str(place): one for place, one in enumerate(leaves, 1)}
    return str(ok(client.post("/v1/validation-rules", json={"name": name("R"), "rules": rules, **more}))["id"])


def leaf(rule_name: str, operator: str, *values: Any, **more: Any) -> dict[str, Any]:
    return {"name": rule_name, "conditions": {operator: list(values)}, **more}


# What is listed


def test_tiers_and_codes_of_their_own_qualify_for_everybody_the_newest_first(client: httpx.Client) -> None:
    oldest = new_tier(client, percent(10))
    middle = code(client, amount(500))
    newest = new_tier(client, amount(300))
    found = qualified(client, order={"amount": 10_000})
    assert ids(found) == [newest, middle, oldest]
    assert [one["object"] for one in found["data"]] == ["promotion_tier", "voucher", "promotion_tier"]
    assert (found["object"], found["data_ref"], found["total"], found["has_more"]) == ("list", "data", 3, False)
    assert "more_starting_after" not in found


def test_each_is_calculated_alone_as_its_validation_would(client: httpx.Client) -> None:
    for discount in (percent(10), amount(500), fixed(7_000)):
        made = code(client, discount)
        order = {"items": [{"product_id": "mug", "quantity": 2, "price": 4_000}]}
        [validated] = ok(
            client.post("/v1/validations", json={"redeemables": [{"object": "voucher", "id": made}], "order": order})
        )["redeemables"]
        shown = qualified(client, order=order)["data"][0]
        for member in ("id", "object", "order", "result", "applicable_to", "inapplicable_to", "metadata", "categories"):
            assert shown[member] == validated[member], member


def test_the_order_is_echoed_uncalculated_with_the_stacking_rules(client: httpx.Client) -> None:
    answer = ok(
        client.post(
            "/v1/qualifications",
            json={"order": {"items": [{"product_id": "mug", "quantity": 2, "price": 400}], "metadata": {"a": 1}}},
        )
    )
    assert answer["order"] == {
        "items": [{"object": "order_item", "product_id": "mug", "quantity": 2, "price": 400}],
        "metadata": {"a": 1},
        "customer_id": None,
        "referrer_id": None,
        "object": "order",
    }
    assert answer["tracking_id"] is None
    assert answer["stacking_rules"]["redeemables_limit"] == 30


def test_without_an_order_none_is_shown(client: httpx.Client) -> None:
    made = code(client, amount(500))
    answer = ok(client.post("/v1/qualifications", json={}))
    assert "order" not in answer
    [shown] = answer["redeemables"]["data"]
    assert (shown["id"], shown["result"]["discount"]["amount_off"]) == (made, 500)
    assert "order" not in shown


def test_what_cannot_be_used_now_is_not_listed(client: httpx.Client) -> None:
    code(client, amount(1), active=False)
    code(client, amount(1), start_date="2099-01-01T00:00:00Z")
    code(client, amount(1), expiration_date="2020-01-01T00:00:00Z")
    used = code(client, amount(1), quantity=1)
    ok(client.post("/v1/redemptions", json={"redeemables": [{"object": "voucher", "id": used}]}))
    off = promotion(client, tier(amount(1)))
    ok(client.post(f"/v1/campaigns/{off['id']}/disable"))
    new_tier(client, amount(1), active=False)
    ended = promotion(client, tier(amount(1)), expiration_date="2020-01-01T00:00:00Z")
    assert ended["promotion"]["tiers"]
    assert ids(qualified(client)) == []


def test_codes_of_campaigns_are_not_for_everybody(client: httpx.Client) -> None:
    body = {"name": name("Bulk"), "campaign_type": "DISCOUNT_COUPONS", "voucher": {"type": "DISCOUNT_VOUCHER"}}
    body["voucher"] |= {"discount": amount(5), "redemption": {"quantity": 1}}
    bulk = ok(client.post("/v1/campaigns", json=body | {"vouchers_count": 0}))
    ok(client.post(f"/v1/campaigns/{bulk['id']}/vouchers/{name()}", json={}))
    assert ids(qualified(client)) == []


def test_the_code_of_a_standalone_campaign_is_for_everybody(client: httpx.Client) -> None:
    made = name()
    body = {
        "name": name("Generic"),
        "campaign_type": "DISCOUNT_COUPONS",
        "type": "STANDALONE",
        "vouchers_count": 1,
        "voucher": {"type": "DISCOUNT_VOUCHER", "discount": amount(5), "code": made},
    }
    ok(client.post("/v1/campaigns", json=body))
    assert ids(qualified(client)) == [made]


# What is judged


def test_rules_leave_out_whoever_and_whatever_does_not_match(client: httpx.Client) -> None:
    gold = conditions(client, leaf("customer.metadata", "$is", "gold", property="level"))
    made = new_tier(client, amount(100), validation_rules=[gold])
    assert ids(qualified(client)) == []  # a rule on the customer, and no customer
    assert ids(qualified(client, customer={"source_id": "ann", "metadata": {"level": "silver"}})) == []
    assert ids(qualified(client, customer={"source_id": "ann", "metadata": {"level": "gold"}})) == [made]


@pytest.mark.parametrize(
    ("rule_name", "values"),
    [
        ("order.amount", [1_000_000]),
        ("campaign.redemptions.count", [1_000]),
        ("campaign.redemptions.count.daily", [1_000]),
        ("campaign.orders.amount_discounted", [10**9]),
    ],
)
def test_what_a_qualification_never_judges(client: httpx.Client, rule_name: str, values: list[int]) -> None:
    made = new_tier(client, amount(100), validation_rules=[conditions(client, leaf(rule_name, "$more_than", *values))])
    found = qualified(client, order={"amount": 500}, options={"expand": ["validation_rules"]})
    assert ids(found) == [made]
    [assignment] = found["data"][0]["validation_rules_assignments"]["data"]
    assert (assignment["validation_status"], assignment["validation_omitted_rules"]) == ("PARTIALLY_VALID", ["1"])


def test_a_rule_judged_in_full_is_valid(client: httpx.Client) -> None:
    least = conditions(client, leaf("order.initial_amount", "$more_than_or_equal", 500))
    made = new_tier(client, amount(100), validation_rules=[least])
    assert ids(qualified(client, order={"amount": 499})) == []
    found = qualified(client, order={"amount": 500}, options={"expand": ["validation_rules"]})
    assert ids(found) == [made]
    [assignment] = found["data"][0]["validation_rules_assignments"]["data"]
    assert (assignment["rule_id"], assignment["related_object_id"]) == (least, made)
    assert (assignment["validation_status"], assignment["validation_omitted_rules"]) == ("VALID", [])


def test_a_limit_for_each_customer_needs_one_though_it_is_not_judged(client: httpx.Client) -> None:
    once = conditions(client, leaf("redemption.count.per_customer", "$less_than", 0))
    made = new_tier(client, amount(100), validation_rules=[once])
    assert ids(qualified(client)) == []
    assert ids(qualified(client, customer={"source_id": "ann"})) == [made]


def test_a_bundle_must_be_in_the_cart(client: httpx.Client) -> None:
    mug = product(client, 1_000)
    part = {"name": "order.items.any", "conditions": {"$is": [{"id": mug, "object": "product"}]}}
    part["rules"] = {"1": leaf("order.items.aggregated_quantity", "$is", 2)}
    made = new_tier(client, amount(100), validation_rules=[conditions(client, bundle_rules={"1": part})])
    one = {"items": [{"product_id": mug, "quantity": 1}]}
    assert ids(qualified(client, order=one)) == []
    assert ids(qualified(client, order={"items": [{"product_id": mug, "quantity": 2}]})) == [made]
    found = qualified(client, order=one, scenario="PRODUCTS")
    assert ids(found) == [made]
    [missing] = found["data"][0]["result"]["bundle"]["missing"]
    assert (missing["id"], missing["item_quantity"]) == (mug, 1)


def test_whoever_asks_why_hears_of_what_no_look_up_finds(client: httpx.Client) -> None:
    sofa = conditions(client, leaf("order.items.any", "$is", {"id": "sofa", "object": "product"}))
    by_tier = new_tier(client, amount(1), validation_rules=[sofa])
    by_code = code(client, amount(1), validation_rules=[sofa])
    sent = {"order": {"items": [{"product_id": "mug", "price": 5}]}, "options": {"explain": True}}
    answer = ok(client.post("/v1/qualifications", json=sent))
    assert ids(answer["redeemables"]) == []
    assert [one["id"] for one in answer["refused_redeemables"]] == [by_code, by_tier]


# Scenarios


def test_an_audience_is_judged_by_the_customer_only(client: httpx.Client) -> None:
    least = leaf("order.initial_amount", "$more_than", 10**6)
    gold = leaf("customer.metadata", "$is", "gold", property="level")
    made = new_tier(client, amount(100), validation_rules=[conditions(client, least, gold)])
    card = gift(client, 500)
    customer = {"source_id": "ann", "metadata": {"level": "gold"}}
    assert ids(qualified(client, customer=customer)) == []
    assert ids(qualified(client, customer=customer, scenario="AUDIENCE_ONLY")) == [card, made]
    assert ids(qualified(client, scenario="AUDIENCE_ONLY")) == [card]


def test_products_are_discounted_or_required(client: httpx.Client) -> None:
    mug, poster = product(client, 1_000), product(client, 2_000)
    required = conditions(client, leaf("order.items.any", "$is", {"id": mug, "object": "product"}))
    by_rule = new_tier(client, amount(100), validation_rules=[required])
    by_discount = new_tier(client, percent(10), validation_rules=[rule(client, entry(mug))])
    free = new_tier(client, {"type": "UNIT", "unit_off": 1, "unit_type": mug, "effect": "ADD_NEW_ITEMS"})
    new_tier(client, percent(10), validation_rules=[rule(client, entry(poster))])
    new_tier(client, amount(100))
    order = {"items": [{"product_id": mug}]}
    assert ids(qualified(client, scenario="PRODUCTS", order=order)) == [free, by_discount, by_rule]
    assert ids(qualified(client, scenario="PRODUCTS_DISCOUNT", order=order)) == [free, by_discount]
    assert ids(qualified(client, scenario="PRODUCTS", order={"items": [{"product_id": "other"}]})) == []
    assert ids(qualified(client, scenario="PRODUCTS")) == []


def test_products_ask_neither_how_many_nor_of_whom(client: httpx.Client) -> None:
    mug = product(client, 1_000)
    many = leaf("order.items.any", "$is", {"id": mug, "object": "product"})
    many["rules"] = {"1": leaf("order.items.aggregated_quantity", "$more_than", 99)}
    gold = leaf("customer.metadata", "$is", "gold", property="level")
    made = new_tier(client, percent(10), validation_rules=[conditions(client, many, gold), rule(client, entry(mug))])
    order = {"items": [{"product_id": mug}]}
    for scenario in ("PRODUCTS", "PRODUCTS_DISCOUNT"):
        assert ids(qualified(client, scenario=scenario, order=order)) == [made]
        by_customer = f"{scenario}_BY_CUSTOMER"
        assert ids(qualified(client, scenario=by_customer, order=order)) == []
        customer = {"source_id": "ann", "metadata": {"level": "gold"}}
        assert ids(qualified(client, scenario=by_customer, order=order, customer=customer)) == [made]


def test_a_stack_qualifies_when_all_its_tiers_do_in_its_order(client: httpx.Client) -> None:
    least = conditions(client, leaf("order.initial_amount", "$more_than", 999))
    campaign = promotion(client, tier(amount(100)), tier(percent(10)), tier(amount(1), validation_rules=[least]))
    first, second, third = tier_ids(campaign)
    both = stack(client, campaign, [second, first])
    stack(client, campaign, [first, third])
    [found] = qualified(client, scenario="PROMOTION_STACKS", order={"amount": 900})["data"]
    assert (found["id"], found["object"]) == (both, "promotion_stack")
    assert [one["id"] for one in found["redeemables"]] == [second, first]
    assert [one["order"]["total_amount"] for one in found["redeemables"]] == [810, 710]
    assert found["order"]["total_applied_discount_amount"] == 190
    assert ids(qualified(client, order={"amount": 900})) == [first, second]  # stacks have a scenario of their own


def test_a_gift_card_needs_an_order_and_shows_what_sessions_hold(client: httpx.Client) -> None:
    card = gift(client, 5_000)
    assert ids(qualified(client)) == []
    [shown] = qualified(client, order={"amount": 3_000})["data"]
    assert shown["result"]["gift"] == {"balance": 5_000, "credits": 3_000}
    held = {"redeemables": [{"object": "voucher", "id": card, "gift": {"credits": 4_000}}], "order": {"amount": 9_000}}
    ok(client.post("/v1/validations", json=held | {"session": {"type": "LOCK"}}))
    [shown] = qualified(client, order={"amount": 3_000}, session={"type": "LOCK"})["data"]
    assert shown["result"]["gift"] == {"balance": 5_000, "credits": 1_000, "locked_credits": 4_000}


# Pages, sorting, filters, expansion


def test_pages_list_everything_once_however_much_was_made_at_the_same_moment(client: httpx.Client) -> None:
    many = tier_ids(promotion(client, *[tier(amount(1)) for _ in range(7)]))
    older = list(
        reversed(many)
    )  # as if each were newer than the one before: the list is by hierarchy within one moment
    seen: list[str] = []
    options: dict[str, Any] = {"limit": 3}
    for _ in range(3):
        found = qualified(client, options=options)
        seen += ids(found)
        options["starting_after"] = found.get("more_starting_after")
        if not found["has_more"]:
            break
    assert seen == many
    assert sorted(seen) == sorted(older)


def test_a_page_begins_strictly_behind_a_date(client: httpx.Client) -> None:
    older, newer = new_tier(client, amount(1)), new_tier(client, amount(1))
    created = {one["id"]: one["created_at"] for one in qualified(client)["data"]}
    assert ids(qualified(client, options={"starting_after": created[newer]})) in ([older], [])
    assert ids(qualified(client, options={"starting_after": created[older]})) == []
    assert ids(qualified(client, options={"limit": 1})) == [newer]


def test_five_are_listed_unless_asked_otherwise(client: httpx.Client) -> None:
    promotion(client, *[tier(amount(1)) for _ in range(6)])
    found = qualified(client)
    assert (found["total"], found["has_more"]) == (5, True)
    assert qualified(client, options={"limit": 50})["total"] == 6


def test_deals_are_sorted_inside_a_page(client: httpx.Client) -> None:
    small, big, middle = (new_tier(client, amount(off)) for off in (100, 900, 500))
    order = {"amount": 1_000}
    assert ids(qualified(client, order=order, options={"sorting_rule": "BEST_DEAL"})) == [big, middle, small]
    assert ids(qualified(client, order=order, options={"sorting_rule": "LEAST_DEAL"})) == [small, middle, big]
    assert ids(qualified(client, order=order, options={"sorting_rule": "DEFAULT"})) == [middle, big, small]
    assert ids(qualified(client, order=order, options={"sorting_rule": "BEST_DEAL", "limit": 2})) == [big, middle]


def test_filters_choose_what_is_looked_at(client: httpx.Client) -> None:
    sales = ok(client.post("/v1/categories", json={"name": name("Sales"), "hierarchy": 1}))["id"]
    campaign = promotion(client, tier(amount(1)), tier(amount(2), category_id=sales))
    first, second = tier_ids(campaign)
    coupon, card = code(client, amount(1)), gift(client, 100)

    def found(**filters: Any) -> list[str]:
        fields = {key: value if key == "junction" else {"conditions": value} for key, value in filters.items()}
        return sorted(ids(qualified(client, order={"amount": 10}, options={"filters": fields, "limit": 50})))

    assert found(resource_type={"$is": ["promotion_tier"]}) == sorted([first, second])
    assert found(resource_type={"$is_not": ["promotion_tier"]}) == sorted([coupon, card])
    assert found(category_id={"$is": [sales]}) == [second]
    assert found(category_id={"$is_unknown": True}) == sorted([first, coupon, card])
    assert found(campaign_id={"$in": [campaign["id"], "other"]}) == sorted([first, second])
    assert found(campaign_type={"$is": ["PROMOTION", "GIFT_VOUCHERS"]}) == sorted([first, second])
    assert found(campaign_id={"$has_value": True}) == sorted([first, second])
    assert found(resource_id={"$not_in": [first, second]}) == sorted([coupon, card])
    assert found(voucher_type={"$is": ["GIFT_VOUCHER"]}) == [card]
    assert found(code={"$is": [coupon, card]}) == [coupon]  # documented: the first value counts
    assert found(code={"$in": [coupon, card]}) == sorted([coupon, card])
    assert found(holder_role={"$is": ["OWNER"]}) == []
    assert found(code={"$is": [coupon]}, category_id={"$is": [sales]}, junction="or") == sorted([coupon, second])
    assert found(code={"$is": [coupon]}, category_id={"$is": [sales]}) == []
    assert len(found()) == 4


def test_what_is_expanded(client: httpx.Client) -> None:
    sales = ok(client.post("/v1/categories", json={"name": name("Sales"), "hierarchy": 1}))
    campaign = promotion(client, tier(amount(1), category_id=sales["id"], metadata={"a": 1}))
    [plain] = qualified(client)["data"]
    assert (plain["metadata"], plain["categories"], plain["banner"]) == ({}, [], "Buy more")
    assert not {"name", "campaign_name", "campaign_id", "validation_rules_assignments"} & plain.keys()
    [shown] = qualified(client, options={"expand": ["redeemable", "category", "validation_rules"]})["data"]
    assert (shown["metadata"], shown["campaign_id"], shown["campaign_name"]) == (
        {"a": 1},
        campaign["id"],
        campaign["name"],
    )
    assert shown["name"] == campaign["promotion"]["tiers"][0]["name"]
    assert [one["name"] for one in shown["categories"]] == [sales["name"]]
    assert shown["validation_rules_assignments"] == {"object": "list", "data_ref": "data", "data": [], "total": 0}


# What no client should send


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"scenario": "SOME"}, ".scenario"),
        ({"options": {"limit": 51}}, ".options.limit"),
        ({"options": {"limit": 0}}, ".options.limit"),
        ({"options": {"starting_after": "yesterday"}}, ".options.starting_after"),
        ({"options": {"sorting_rule": "ANY"}}, ".options.sorting_rule"),
        ({"options": {"expand": ["all"]}}, ".options.expand[0]"),
        ({"options": {"filters": {"code": {"conditions": {"$like": ["a"]}}}}}, ".options.filters.code.conditions"),
        ({"options": []}, ".options"),
        ({"order": {"amount": -1}}, ".order.amount"),
        ({"session": {"type": "OPEN"}}, ".session.type"),
        ({"metadata": []}, ".metadata"),
    ],
)
def test_an_impossible_request_is_refused(server: Server, body: dict[str, Any], place: str) -> None:
    error = refused(server.client.post("/v1/qualifications", json=body), 400, "invalid_payload")
    assert place in error["details"]


def test_an_unknown_customer_id_is_refused_and_an_unknown_source_id_is_not(server: Server) -> None:
    refused(server.client.post("/v1/qualifications", json={"customer": {"id": "cust_no"}}), 404, "not_found")
    ok(server.client.post("/v1/qualifications", json={"customer": {"source_id": "nobody"}}))
    assert ok(server.client.get("/v1/customers", params={"email": "nobody"}))["total"] == 0


def test_nulls_and_unknown_members_say_nothing(server: Server) -> None:
    names = ("customer", "order", "tracking_id", "scenario", "options", "session", "metadata")
    ok(server.client.post("/v1/qualifications", json=dict.fromkeys(names) | {"more": 1}))
    options = dict.fromkeys(["limit", "starting_after", "filters", "expand", "sorting_rule"])
    ok(server.client.post("/v1/qualifications", json={"options": options}))
