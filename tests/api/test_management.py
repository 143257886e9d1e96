"""The management API: its keys, and the stacking rules of a project."""

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.api.shop import amount, asks, code, name, ok, percent, refused, validate
from tests.servers import Server, plain_client, run

DEFAULTS = {
    "redeemables_limit": 30,
    "applicable_redeemables_limit": 5,
    "applicable_redeemables_per_category_limit": None,
    "applicable_redeemables_category_limits": {},
    "applicable_exclusive_redeemables_limit": 1,
    "applicable_exclusive_redeemables_per_category_limit": None,
    "exclusive_categories": [],
    "joint_categories": [],
    "redeemables_application_mode": "ALL",
    "redeemables_sorting_rule": "REQUESTED_ORDER",
    "redeemables_products_application_mode": "STACK",
    "redeemables_no_effect_rule": "REDEEM_ANYWAY",
    "no_effect_skip_categories": [],
    "no_effect_redeem_anyway_categories": [],
    "discount_calculation_mode": "DISCOUNTED_AMOUNT",
    "initial_amount_mode_categories": [],
    "discounted_amount_mode_categories": [],
    "redeemables_rollback_order_mode": "WITH_ORDER",
}


def new_key(server: Server) -> dict[str, str]:
    keys: dict[str, str] = json.loads(run("keys", "create", "--management", "--json", store=server.store).stdout)
    return keys


def headers(keys: dict[str, str]) -> dict[str, str]:
    return {"X-Management-Id": keys["management_id"], "X-Management-Token": keys["management_token"]}


@pytest.fixture(scope="module")
def key(server: Server) -> dict[str, str]:
    return new_key(server)


@pytest.fixture
def management(server: Server, key: dict[str, str]) -> Iterator[httpx.Client]:
    """A client of the project's stacking rules; the defaults hold again afterwards."""
    address = f"{server.base_url}/management/v1/projects/{server.keys['project_id']}/stacking-rules"
    with plain_client(address, headers(key)) as client:
        yield client
        for one in ok(client.get(""))["data"]:
            if "id" in one:
                ok(client.delete(f"/{one['id']}"))


def category(server: Server, hierarchy: int = 1) -> str:
    made = ok(server.client.post("/v1/categories", json={"name": name("N"), "hierarchy": hierarchy}))
    return str(made["id"])


def test_one_set_of_stacking_rules_is_made_changed_and_deleted(management: httpx.Client) -> None:
    assert ok(management.get("")) == {"object": "list", "data_ref": "data", "data": [DEFAULTS], "total": 1}
    made = ok(management.post("", json={"redeemables_limit": 10, "redeemables_application_mode": "PARTIAL"}))
    assert re.fullmatch(r"stk_[0-9a-f]{18}", made["id"])
    expected = {"redeemables_limit": 10, "redeemables_application_mode": "PARTIAL", "updated_at": None}
    assert made == {**DEFAULTS, **expected, "id": made["id"], "created_at": made["created_at"]}
    assert ok(management.get(""))["data"] == [made] == [ok(management.get(f"/{made['id']}"))]
    refused(management.post("", json={}), 409, "stacking_rules_exist")
    changed = ok(management.put(f"/{made['id']}", json={"applicable_redeemables_limit": 7}))
    assert changed == {**made, "applicable_redeemables_limit": 7, "updated_at": changed["updated_at"]}
    assert changed["updated_at"]
    assert ok(management.get(f"/{made['id']}")) == changed
    assert management.delete(f"/{made['id']}").status_code == 204
    assert ok(management.get(""))["data"] == [DEFAULTS]
    for method in ("GET", "PUT", "DELETE"):
        refusal = refused(management.request(method, f"/{made['id']}", json={}), 404, "not_found")
        assert refusal["details"] == f"Cannot find stacking_rules with id {made['id']}"


@pytest.mark.parametrize("set_", ["JOINT_ALWAYS_LAST", "SORTING_RULE", "APPLY_SORTING_RULE"])
def test_the_grouped_sorting_rule_is_shown_as_it_was_set(management: httpx.Client, set_: str) -> None:
    made = ok(management.post("", json={"grouped_redeemables_sorting_rule": set_}))
    assert made["grouped_redeemables_sorting_rule"] == set_


def test_null_means_no_limit_where_there_may_be_none_and_nothing_elsewhere(management: httpx.Client) -> None:
    made = ok(management.post("", json={"applicable_redeemables_per_category_limit": 2, "redeemables_limit": 9}))
    sent = dict.fromkeys(DEFAULTS)
    changed = ok(management.put(f"/{made['id']}", json=sent))
    assert changed["applicable_redeemables_per_category_limit"] is None
    assert changed["redeemables_limit"] == 9


@pytest.mark.parametrize(
    ("sent", "details"),
    [
        ({"redeemables_limit": 31}, "Property .redeemables_limit must be <= 30"),
        ({"redeemables_limit": 0}, "Property .redeemables_limit must be >= 1"),
        ({"redeemables_limit": "3"}, "Property .redeemables_limit should be integer"),
        ({"redeemables_limit": 4}, "Property .applicable_redeemables_limit cannot be higher than redeemables_limit"),
        (
            {"applicable_redeemables_per_category_limit": 6},
            "Property .applicable_redeemables_per_category_limit cannot be higher than applicable_redeemables_limit",
        ),
        (
            {"applicable_redeemables_category_limits": {"x": 11}},
            "Property .applicable_redeemables_category_limits.x must be <= 10",
        ),
        (
            {"applicable_exclusive_redeemables_limit": 6},
            "Property .applicable_exclusive_redeemables_limit must be <= 5",
        ),
        ({"joint_categories": "cat"}, "Property .joint_categories should be array"),
        ([], "Payload should be object"),
    ],
)
def test_what_no_stacking_rule_can_be(management: httpx.Client, sent: Any, details: str) -> None:
    assert refused(management.post("", json=sent), 400, "invalid_payload")["details"] == details
    assert ok(management.get(""))["data"] == [DEFAULTS]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("exclusive_categories", "joint_categories"),
        ("no_effect_skip_categories", "no_effect_redeem_anyway_categories"),
        ("initial_amount_mode_categories", "discounted_amount_mode_categories"),
    ],
)
def test_a_category_is_in_one_of_two_opposite_lists(
    server: Server, management: httpx.Client, one: str, other: str
) -> None:
    listed = [category(server)]
    made = ok(management.post("", json={one: listed}))
    refused(management.put(f"/{made['id']}", json={other: listed}), 400, "invalid_payload")
    ok(management.put(f"/{made['id']}", json={one: [], other: listed}))


def test_categories_in_the_rules_exist_and_stay(server: Server, management: httpx.Client) -> None:
    refusal = refused(management.post("", json={"joint_categories": ["cat_nobody"]}), 404, "not_found")
    assert (refusal["resource_type"], refusal["resource_id"]) == ("category", "cat_nobody")
    known = category(server)
    ok(management.post("", json={"applicable_redeemables_category_limits": {known: 2}}))
    refused(server.client.delete(f"/v1/categories/{known}"), 400, "resource_in_use")


def test_of_many_that_race_for_the_set_one_makes_it(management: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: management.post("", json={"redeemables_limit": 9}).status_code, range(8)))
    assert sorted(answers) == [200] + [409] * 7


def applied(server: Server, *codes: str, order: Any = 10_000) -> Any:
    return validate(server.client, *codes, order=order)


def test_limits_of_redeemables_hold_at_once(server: Server, management: httpx.Client) -> None:
    codes = [code(server.client, amount(100)) for _ in range(3)]
    assert len(applied(server, *codes)["redeemables"]) == 3
    rules = ok(management.post("", json={"applicable_redeemables_limit": 2, "redeemables_application_mode": "PARTIAL"}))
    found = applied(server, *codes)
    assert (len(found["redeemables"]), len(found["skipped_redeemables"])) == (2, 1)
    assert found["stacking_rules"]["applicable_redeemables_limit"] == 2
    ok(management.put(f"/{rules['id']}", json={"redeemables_limit": 2}))
    too_many = {"redeemables": asks(*codes), "order": {"amount": 10_000}}
    assert server.client.post("/v1/validations", json=too_many).status_code == 400


@pytest.mark.parametrize("per_category", [True, False])
def test_limits_per_category(server: Server, management: httpx.Client, per_category: bool) -> None:
    kind = category(server)
    codes = [code(server.client, amount(100), category_id=kind) for _ in range(2)]
    limit: dict[str, Any] = (
        {"applicable_redeemables_per_category_limit": 1}
        if per_category
        else {"applicable_redeemables_category_limits": {kind: 1}}
    )
    ok(management.post("", json={"redeemables_application_mode": "PARTIAL", **limit}))
    assert len(applied(server, *codes)["redeemables"]) == 1


def test_exclusive_redeemables_stand_apart_from_common_ones(server: Server, management: httpx.Client) -> None:
    lone, joint = category(server), category(server)
    first, second = (code(server.client, amount(100), category_id=lone) for _ in range(2))
    common = code(server.client, amount(100))
    always = code(server.client, amount(100), category_id=joint)
    sent = {
        "exclusive_categories": [lone],
        "joint_categories": [joint],
        "redeemables_application_mode": "PARTIAL",
        "applicable_exclusive_redeemables_limit": 2,
    }
    rules = ok(management.post("", json=sent))

    def ids() -> list[str]:
        return [one["id"] for one in applied(server, first, second, common, always)["redeemables"]]

    assert ids() == [first, second, always]
    path = f"/{rules['id']}"
    ok(management.put(path, json={"applicable_exclusive_redeemables_per_category_limit": 1}))
    assert ids() == [first, always]
    limits = {
        "applicable_exclusive_redeemables_per_category_limit": None,
        "applicable_exclusive_redeemables_limit": 1,
    }
    ok(management.put(path, json=limits))
    assert ids() == [first, always]


def test_categories_can_order_the_redeemables(server: Server, management: httpx.Client) -> None:
    late = code(server.client, amount(100), category_id=category(server, 9))
    early = code(server.client, amount(100), category_id=category(server, 0))
    ok(management.post("", json={"redeemables_sorting_rule": "CATEGORY_HIERARCHY"}))
    assert [one["id"] for one in applied(server, late, early)["redeemables"]] == [early, late]


def test_what_has_no_effect_can_be_skipped(server: Server, management: httpx.Client) -> None:
    kind = category(server)
    whole, useless = code(server.client, percent(100)), code(server.client, amount(100), category_id=kind)
    assert len(applied(server, whole, useless)["redeemables"]) == 2
    sent = {"redeemables_no_effect_rule": "SKIP", "redeemables_application_mode": "PARTIAL"}
    rules = ok(management.post("", json=sent))
    assert len(applied(server, whole, useless)["redeemables"]) == 1
    path = f"/{rules['id']}"
    ok(management.put(path, json={"no_effect_redeem_anyway_categories": [kind]}))
    assert len(applied(server, whole, useless)["redeemables"]) == 2
    lists = {"no_effect_redeem_anyway_categories": [], "no_effect_skip_categories": [kind]}
    ok(management.put(path, json={"redeemables_no_effect_rule": "REDEEM_ANYWAY", **lists}))
    assert len(applied(server, whole, useless)["redeemables"]) == 1


def test_percentages_can_be_of_the_initial_amount(server: Server, management: httpx.Client) -> None:
    kind = category(server)
    codes = [code(server.client, amount(5_000)), code(server.client, percent(10), category_id=kind)]

    def discount() -> int:
        return int(applied(server, *codes)["order"]["total_discount_amount"])

    assert discount() == 5_500
    rules = ok(management.post("", json={"discount_calculation_mode": "INITIAL_AMOUNT"}))
    assert discount() == 6_000
    path = f"/{rules['id']}"
    ok(management.put(path, json={"discounted_amount_mode_categories": [kind]}))
    assert discount() == 5_500
    lists = {"discounted_amount_mode_categories": [], "initial_amount_mode_categories": [kind]}
    ok(management.put(path, json={"discount_calculation_mode": "DISCOUNTED_AMOUNT", **lists}))
    assert discount() == 6_000


def test_a_management_key_opens_every_project_and_nothing_else(server: Server, key: dict[str, str]) -> None:
    other = server.new_project()
    with plain_client(server.base_url, headers(key)) as client:
        path = f"/management/v1/projects/{other['project_id']}"
        assert ok(client.get(f"{path}/stacking-rules"))["data"] == [DEFAULTS]
        refused(client.get("/management/v1/projects/nobody/stacking-rules"), 404, "not_found")
        for unserved in ("/management/v1/projects", path, f"{path}/users"):
            refused(client.get(unserved), 404, "not_found")
        refused(client.get("/v1/vouchers"), 401, "unauthorized")
        pair = {"X-App-Id": key["management_id"], "X-App-Token": key["management_token"]}
        refused(client.get("/v1/vouchers", headers=pair), 401, "unauthorized")


@pytest.mark.parametrize("token", ["", "wrong", "\xe9"])
def test_only_management_keys_open_the_management_api(server: Server, key: dict[str, str], token: str) -> None:
    path = f"/management/v1/projects/{server.keys['project_id']}/stacking-rules"
    refused(server.client.get(path), 401, "unauthorized")
    theirs = {"X-Management-Id": server.keys["app_id"], "X-Management-Token": server.keys["app_token"]}
    wrong = {"X-Management-Id": key["management_id"], "X-Management-Token": token.encode("latin-1")}
    for pair in (theirs, wrong):
        refused(httpx.get(server.base_url + path, headers=pair), 401, "unauthorized")


def test_a_revoked_management_key_ends_soon(server: Server) -> None:
    keys = new_key(server)
    path = f"{server.base_url}/management/v1/projects/{server.keys['project_id']}/stacking-rules"
    ok(httpx.get(path, headers=headers(keys)))
    run("keys", "revoke", keys["management_id"], store=server.store)
    deadline = time.monotonic() + 15  # three, and what a busy machine adds
    while httpx.get(path, headers=headers(keys)).status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    listed = json.loads(run("keys", "list", "--management", "--json", store=server.store).stdout)
    found = next(one for one in listed if one["management_id"] == keys["management_id"])
    assert found["revoked_at"]
    assert found["last_four"] == keys["management_token"][-4:]


def test_there_are_at_most_five_live_management_keys(store: str) -> None:
    run("migrate", store=store)
    made = [run("keys", "create", "--management", "--json", store=store, check=False) for _ in range(6)]
    for one in made:
        if one.returncode == 0:
            run("keys", "revoke", json.loads(one.stdout)["management_id"], store=store)
    assert made[-1].returncode == 2
    assert "revoke one first" in made[-1].stderr


@pytest.mark.parametrize("arguments", [["create"], ["create", "proj_1", "--management"], ["list"]])
def test_keys_are_of_a_project_or_of_the_management_api(store: str, arguments: list[str]) -> None:
    found = run("keys", *arguments, store=store, check=False)
    assert found.returncode == 2
    assert "--management" in found.stderr


def test_a_product_can_be_discounted_only_once(server: Server, management: httpx.Client) -> None:
    order = {"items": [{"product_id": "prod_of_nobody", "price": 1_000, "quantity": 1}]}
    codes = [code(server.client, amount(100, effect="APPLY_TO_ITEMS")) for _ in range(2)]

    def discount() -> int:
        return int(applied(server, *codes, order=order)["order"]["total_discount_amount"])

    assert discount() == 200
    ok(management.post("", json={"redeemables_products_application_mode": "ONCE"}))
    assert discount() == 100
