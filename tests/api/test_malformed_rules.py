"""Rules that say nothing possible are refused with the place of the mistake, whatever it is, and nothing is stored."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from largesse.engine.rules.compiling import NAMES
from tests.api.shop import name, ok
from tests.servers import Server

MUG = {"id": "prod_mug", "type": "product_or_sku", "object": "product"}
ITEMS = tuple(f"order.items.{which}" for which in ("any", "every", "none", "cheapest", "most_expensive"))
FAMILIES = {
    "customer": ("customer.metadata", "customer.segment", "customer.loyalty.tier"),
    "order": ("order.amount", "order.initial_amount", "order.total_amount", "order.items.count", "order.metadata"),
    "lines": tuple(f"order.items.{what}_{how}" for what in ("price", "metadata") for how in ("any", "each")),
    "items": ITEMS,
    "products": ("product.id", "sku.id", "product.metadata", "product.price", "sku.quantity"),
    "redemption": (
        "redemption.metadata",
        "redemption.api_key",
        "redemption.user.login",
        "redemption.reward.pay_with_points.points_used",
        "publication.redeemable_by_linked_customer",
        "custom_event.metadata",
    ),
    "counts": tuple(one for one in NAMES if one.startswith(("redemption.count", "campaign.", "redemption.gift"))),
}
_BY_ID = ("product.id", "sku.id", "customer.segment", "customer.loyalty.tier", "redemption.api_key")
_TEXTS = (*_BY_ID, "redemption.user.login")
_WITH_SUB_RULES = (*ITEMS, "product.id", "sku.id", "product.metadata")


def sound(named: str) -> dict[str, Any]:
    """A leaf that is accepted."""
    if named in ITEMS:
        return {"name": named, "conditions": {"$is": [MUG]}}
    if named.startswith("publication"):
        return {"name": named, "conditions": {"$is": [True]}}
    found: dict[str, Any] = {"name": named, "conditions": {"$is": ["x" if named in _TEXTS else 5]}}
    return found | ({"property": "p"} if "metadata" in named else {})


_words = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)
_not_objects = st.one_of(st.integers(), st.booleans(), st.just(0.5), _words, st.lists(st.integers(), max_size=2))
_not_texts = st.one_of(
    st.integers(), st.booleans(), st.lists(_words, max_size=2), st.dictionaries(_words, _words, max_size=2)
)
_parts = st.integers(1, 9) | st.just(True) | _words | st.just([1])
_no_logic = st.sampled_from(
    [
        "1 and",
        "and 1",
        "(1",
        "1)",
        "()",
        "1 1",
        "1 or or 1",
        "not 1",
        "2",
        "1 and 2",
        "1 & 1",
        "!",
        5,
        ["1"],
        {"1": 1},
        True,
    ]
)


@st.composite
def faults(draw: st.DrawFn, family: str) -> dict[str, Any]:
    """A rule with one mistake."""
    leaf = sound(draw(st.sampled_from(FAMILIES[family])))
    named = leaf["name"]
    kinds = ["name", "leaf", "operator", "conditions", "null", "logic", "key", "error", "parts"]
    kinds += ["property"] if "property" in leaf else []
    kinds += ["number"] if leaf["conditions"] == {"$is": [5]} and "property" not in leaf else []
    kinds += ["id"] if named in (*ITEMS, *_BY_ID) else []
    kinds += ["sub_rule"] if named in _WITH_SUB_RULES and named != "order.items.none" else []
    rules: dict[str, Any] = {"1": leaf}
    match draw(st.sampled_from(kinds)):
        case "name":
            leaf["name"] = draw(_not_texts | _words.map(lambda word: f"order.{word}.x"))
        case "leaf":
            rules["1"] = draw(_not_objects)
        case "operator":
            leaf["conditions"][f"$x{draw(_words)}"] = [5]
        case "conditions":
            leaf["conditions"] = draw(_not_objects)
        case "null":
            leaf["conditions"]["$is"] = [*leaf["conditions"]["$is"], None]
        case "logic":
            rules["logic"] = draw(_no_logic)
        case "key":
            rules[draw(st.sampled_from(["and", "OR", "1 2", "", "(", "a,b", "ü"]))] = leaf
        case "error":
            leaf["error"] = draw(_not_objects | st.sampled_from([{}, {"message": 5}, {"message": ["x"]}]))
        case "parts":
            leaf["rules"] = draw(_parts | st.just({"1": sound("order.amount")}))
        case "property":
            leaf["property"] = draw(_not_texts | st.just(""))
        case "number":
            leaf["conditions"]["$is"] = [draw(st.sampled_from(["x", "1,5", True, [1], {"a": 1}, "2026-01-01"]))]
        case "id":
            leaf["conditions"]["$is"] = [draw(st.sampled_from([5, True, "", {}, {"id": 5}, [], {"object": "product"}]))]
        case "sub_rule":
            part = draw(st.sampled_from([sound("order.amount"), {"name": f"{named}.x"}, 5, {}]))
            leaf["rules"] = {"1": part, "logic": "1"}
    return {"rules": rules}


@st.composite
def wrong_items(draw: st.DrawFn) -> dict[str, Any]:
    """`applicable_to` with one mistake."""
    entry: dict[str, Any] = {"object": "product", "id": "prod_mug"}
    member, values = draw(
        st.sampled_from(
            [
                ("object", [5, "shop", True, None]),
                ("id", [5, True, [], {}]),
                ("effect", ["APPLY_TO_NONE", 5]),
                ("target", ["LINE", 5]),
                ("skip_initially", [-1, "1", 0.5]),
                ("repeat", [0, -1, "1"]),
                ("quantity_limit", [-1, "1", True]),
                ("price", [-1, "one", {}]),
                ("price_formula", ["1 +", "NO_SUCH", 5]),
                ("strict", [1, "true"]),
            ]
        )
    )
    entry[member] = draw(st.sampled_from(values))
    kind = draw(st.sampled_from(["included", "excluded"]))
    return {
        "applicable_to": draw(st.sampled_from([{kind: [entry]}, {kind: entry}, {kind: 5}, {"included_all": "yes"}, 5]))
    }


@st.composite
def wrong_bundles(draw: st.DrawFn) -> dict[str, Any]:
    """`bundle_rules` with one mistake."""
    part: dict[str, Any] = {"name": "order.items.any", "conditions": {"$is": [MUG]}}
    bundle: dict[str, Any] = {"1": part}
    count = {"name": "order.items.aggregated_quantity", "conditions": {"$is": [2]}}
    match draw(st.sampled_from(["name", "members", "count", "logic", "limit", "part", "more"])):
        case "name":
            part["name"] = draw(st.sampled_from(["order.amount", "order.items.none", 5, "x"]))
        case "members":
            part["conditions"] = draw(
                st.sampled_from([{}, {"$is": []}, {"$is": [MUG, MUG]}, {"$in": [MUG]}, {"$is": [5]}, 5])
            )
        case "count":
            count["conditions"] = draw(
                st.sampled_from([{"$is": [0]}, {"$is": ["2"]}, {"$is": [0.5]}, {"$more_than": [1]}, {}])
            )
            part["rules"] = {"1": count}
        case "logic":
            bundle["2"] = part
            bundle["logic"] = draw(st.sampled_from(["1 or 2", "1 and 3", "1 and", 5]))
        case "limit":
            bundle["limit"] = draw(st.sampled_from([0, 101, -1, "1", 0.5, True]))
        case "part":
            bundle["1"] = draw(_not_objects)
        case "more":
            part[draw(_words.map(lambda word: f"x{word}"))] = 1
    return {"bundle_rules": bundle}


def each_is_refused(server: Server, malformed: st.SearchStrategy[dict[str, Any]], *places: str) -> None:
    """A hundred, sent as new rules and as changes of one: all are refused at one of the places, and nothing is different then."""
    client, path = server.client, "/v1/validation-rules"
    kept = ok(client.post(path, json={"name": name("Sound"), "rules": {"1": sound("order.amount")}}))
    total = ok(client.get(path))["total"]

    @settings(max_examples=100, deadline=None, database=None)
    @given(malformed, st.booleans())
    def check(sent: dict[str, Any], is_new: bool) -> None:
        sent = {"name": name("Malformed"), **sent}
        response = client.post(path, json=sent) if is_new else client.put(f"{path}/{kept['id']}", json=sent)
        error = response.json()
        assert (response.status_code, error["key"]) in ((400, "invalid_validation_rules"), (400, "invalid_payload")), (
            sent,
            error,
        )
        assert any(place in error["details"] for place in places), (sent, error)

    check()
    assert ok(client.get(path))["total"] == total
    assert ok(client.get(f"{path}/{kept['id']}")) == kept


@pytest.mark.parametrize("family", FAMILIES)
def test_a_malformed_rule_is_refused_where_it_is_wrong(server: Server, family: str) -> None:
    each_is_refused(server, faults(family), "rules.1", "rules.logic", "rules: ", "Rule '")


def test_a_malformed_list_of_items_is_refused_where_it_is_wrong(server: Server) -> None:
    each_is_refused(server, wrong_items(), "applicable_to")


def test_a_malformed_bundle_is_refused_where_it_is_wrong(server: Server) -> None:
    each_is_refused(server, wrong_bundles(), "bundle_rules")


def test_every_family_is_looked_at() -> None:
    """But names that stand for what a rule says elsewhere."""
    known = {one for some in FAMILIES.values() for one in some}
    assert {one for one in NAMES if one not in known} <= {
        "product.quantity",
        "sku.price",
        "product.discount_applicable",
        "sku.discount_applicable",
    }
