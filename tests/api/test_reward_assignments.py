"""Which rewards a program offers, and for how many points: from the reward's side and from the program's."""

from typing import Any

import pytest

from tests.api.rewards import buy, coin, coupons, issuing, join, material, offer, program
from tests.api.shop import name, ok, refused
from tests.servers import Server


def priced(points: int, **more: Any) -> dict[str, Any]:
    return {"parameters": {"loyalty": {"points": points, **more}}}


def test_an_assignment_is_seen_from_both_sides(server: Server) -> None:
    client = server.client
    made, mug = program(client), material(client)
    assigned = ok(client.post(f"/v1/rewards/{mug['id']}/assignments", json={"campaign": made["name"], **priced(30)}))
    assert assigned == {
        "id": assigned["id"],
        "reward_id": mug["id"],
        "related_object_id": made["id"],
        "related_object_type": "campaign",
        "parameters": {"loyalty": {"points": 30}},
        "created_at": assigned["created_at"],
        "updated_at": None,
        "object": "reward_assignment",
    }
    assert assigned["id"].startswith("rewa_")
    of_reward, of_program = f"/v1/rewards/{mug['id']}/assignments", f"/v1/loyalties/{made['id']}"
    paths = [
        f"{of_reward}/{assigned['id']}",
        f"{of_program}/rewards/{assigned['id']}",
        f"/v1/loyalties/{made['name']}/reward-assignments/{assigned['id']}",
    ]
    assert [ok(client.get(path)) for path in paths] == [assigned] * 3
    listed = {"object": "list", "data_ref": "data", "data": [assigned], "total": 1}
    for path in (of_reward, f"{of_program}/rewards", f"{of_program}/reward-assignments"):
        assert ok(client.get(path)) == listed
    assert ok(client.get(f"{of_program}/rewards?assignment_id=rewa_0"))["data"] == []
    assert ok(client.get(f"{of_program}/reward-assignments?assignmentId={assigned['id']}")) == listed
    assert ok(client.get(f"{of_program}/reward-assignments/{assigned['id']}/reward")) == mug
    assert ok(client.get(f"/v1/rewards?assignment_id={assigned['id']}"))["data"] == [mug]
    changed = ok(client.put(paths[0], json=priced(40)))
    assert changed == assigned | {"parameters": {"loyalty": {"points": 40}}, "updated_at": changed["updated_at"]}
    again = ok(client.put(paths[1], json=priced(50, auto_redeem=True)))
    assert again["parameters"] == {"loyalty": {"points": 50, "auto_redeem": True}}
    assert ok(client.put(paths[1], json=priced(50, auto_redeem=False)))["parameters"] == {"loyalty": {"points": 50}}
    in_use = refused(client.delete(f"/v1/rewards/{mug['id']}"), 400, "resource_in_use")
    assert (in_use["related_object_type"], in_use["related_object_ids"]) == ("reward_assignment", [assigned["id"]])
    assert client.delete(paths[1]).status_code == 204
    for path in paths:
        assert refused(client.get(path), 404, "not_found")["resource_type"] == "reward_assignment"
    refused(client.delete(paths[0]), 404, "not_found")
    refused(client.put(paths[0], json=priced(1)), 404, "not_found")
    assert client.delete(f"/v1/rewards/{mug['id']}").status_code == 204


def test_a_program_is_given_several_rewards_at_once_or_none(server: Server) -> None:
    client = server.client
    made, mug, pay = program(client), material(client), coin(client)
    path = f"/v1/loyalties/{made['id']}/rewards"
    sent = [{"reward": mug["id"], **priced(5)}, {"reward": pay["id"]}]
    assigned = ok(client.post(path, json=sent))
    assert [one["reward_id"] for one in assigned] == [mug["id"], pay["id"]]
    assert "parameters" not in assigned[1]
    other = material(client)
    broken: list[tuple[Any, int, str]] = [
        ([{"reward": other["id"], **priced(1)}, {"reward": mug["id"], **priced(1)}], 409, "duplicate_found"),
        ([{"reward": other["id"], **priced(1)}, {"reward": "rew_0", **priced(1)}], 404, "not_found"),
        ([{"reward": other["id"]}], 400, "missing_param"),
        ([priced(1)], 400, "missing_param"),
        ([{"reward": other["id"], "parameters": {"loyalty": {}}}], 400, "missing_param"),
        ([{"reward": other["id"], **priced(0)}], 400, "invalid_payload"),
        ({"reward": other["id"], **priced(1)}, 400, "invalid_payload"),
        ([{"reward": other["id"], **priced(1)}] * 101, 400, "invalid_payload"),
    ]
    for body, status, key in broken:
        refused(client.post(path, json=body), status, key)
    assert ok(client.get(path))["total"] == 2
    duplicate = refused(client.post(path, json=[{"reward": mug["id"], **priced(1)}]), 409, "duplicate_found")
    assert (duplicate["resource_type"], duplicate["resource_id"]) == ("reward_assignment", assigned[0]["id"])
    assert ok(client.post(path, json=[])) == []


def test_what_cannot_be_assigned(server: Server) -> None:
    client = server.client
    made, mug, shop = program(client), material(client), coupons(client)
    path = f"/v1/rewards/{mug['id']}/assignments"
    missing = refused(client.post(path, json=priced(5)), 404, "not_found")
    assert missing["resource_type"] == "campaign"
    assert (
        refused(client.post(path, json={"campaign": "camp_0", **priced(5)}), 404, "not_found")["resource_id"]
        == "camp_0"
    )
    refused(client.post(path, json={"campaign": shop["id"], **priced(5)}), 400, "invalid_payload")
    required = refused(client.post(path, json={"campaign": made["id"]}), 400, "missing_param")
    assert required["details"] == "Parameter 'parameters.loyalty' is required"
    refused(client.post("/v1/rewards/rew_0/assignments", json={"campaign": made["id"], **priced(5)}), 404, "not_found")
    for points in (0, -1, "5", 1.5, 10**13):
        refused(client.post(path, json={"campaign": made["id"], **priced(points)}), 400, "invalid_payload")  # type: ignore[arg-type]
    pay = coin(client)
    ruled = {"campaign": made["id"], "validation_rules": ["val_0"]}
    refused(client.post(f"/v1/rewards/{pay['id']}/assignments", json=ruled), 404, "not_found")
    assert ok(client.get(f"/v1/loyalties/{made['id']}/rewards"))["total"] == 0
    for method, tail in (("GET", ""), ("POST", "")):
        sent = [{"reward": mug["id"], **priced(1)}]
        refused(client.request(method, f"/v1/loyalties/{shop['id']}/rewards{tail}", json=sent), 404, "not_found")


def test_a_product_that_is_a_reward_stays(server: Server) -> None:
    client = server.client
    mug = material(client)
    product = mug["parameters"]["product"]["id"]
    in_use = refused(client.delete(f"/v1/products/{product}"), 400, "resource_in_use")
    assert (in_use["related_object_type"], in_use["related_object_ids"]) == ("reward", [mug["id"]])
    assert client.delete(f"/v1/rewards/{mug['id']}").status_code == 204
    assert client.delete(f"/v1/products/{product}").status_code == 204


def test_what_was_redeemed_stays_when_a_reward_is_offered_no_more(server: Server) -> None:
    client = server.client
    card = join(client, program(client, 100)["id"])
    mug = material(client)
    assignment = offer(client, card, mug, 10)
    done = buy(client, card, mug)
    assert client.delete(f"/v1/rewards/{mug['id']}/assignments/{assignment['id']}").status_code == 204
    assert client.delete(f"/v1/rewards/{mug['id']}").status_code == 204
    assert ok(client.get(f"/v1/redemptions/{done['id']}"))["reward"] == done["reward"]
    assert ok(client.post(f"/v1/redemptions/{done['id']}/rollback"))["loyalty_card"] == {"points": -10}
    server.verify()


@pytest.mark.parametrize("force", [False, True])
def test_a_campaign_that_is_gone_hands_out_nothing(server: Server, force: bool) -> None:
    client = server.client
    card = join(client, program(client, 100)["id"])
    campaign = coupons(client)
    coupon = issuing(client, campaign)
    offer(client, card, coupon, 10)
    assert client.delete(f"/v1/campaigns/{campaign['id']}?force={str(force).lower()}").status_code == 202
    sent = {"reward": {"id": coupon["id"]}}
    refused(client.post(f"/v1/loyalties/members/{card['code']}/redemption", json=sent), 404, "not_found")
    assert ok(client.get(f"/v1/vouchers/{card['code']}"))["loyalty_card"]["balance"] == 100


def test_rewards_through_the_official_sdk(server: Server) -> None:
    import voucherify
    from voucherify.models import (
        LoyaltiesMembersRedemptionRedeemRequestBody as Redeem,
    )
    from voucherify.models import (
        RedemptionsRollbackCreateRequestBody as Rollback,
    )
    from voucherify.models import (
        RewardsAssignmentsCreateRequestBody as Assign,
    )
    from voucherify.models import (
        RewardsCreateRequestBody as Create,
    )

    client = server.client
    with server.sdk() as sdk:
        rewards, loyalties = voucherify.RewardsApi(sdk), voucherify.LoyaltiesApi(sdk)
        body = {
            "name": name("L"),
            "type": "AUTO_UPDATE",
            "voucher": {"type": "LOYALTY_CARD", "loyalty_card": {"points": 100}},
        }
        made = loyalties.create_loyalty_program(voucherify.LoyaltiesCreateCampaignRequestBody.from_dict(body))
        card = loyalties.add_member(
            made.id, voucherify.LoyaltiesMembersCreateRequestBody.from_dict({"customer": {"source_id": name("cust")}})
        )
        coupon = rewards.create_reward(
            Create.from_dict({"name": "Coupon", "parameters": {"campaign": {"id": coupons(client)["id"]}}})
        )
        assert coupon.parameters.campaign.type == "DISCOUNT_COUPONS"
        assignment = rewards.create_reward_assignment(coupon.id, Assign.from_dict({"campaign": made.id, **priced(30)}))
        assert assignment.parameters.loyalty.points == 30
        listed = loyalties.list_member_rewards(card.code)
        assert [one.reward.id for one in listed.data] == [coupon.id]
        done = loyalties.redeem_reward(card.code, Redeem.from_dict({"reward": {"id": coupon.id}}))
        assert (done.amount, done.loyalty_card.points, done.reward.id) == (30, 30, coupon.id)
        assert done.reward.voucher.holder_id == card.holder_id
        assert done.voucher.loyalty_card.balance == 70
        back = voucherify.RedemptionsApi(sdk).rollback_redemption(
            done.id, redemptions_rollback_create_request_body=Rollback.from_dict({"reason": "Wrong"})
        )
        assert (back.amount, back.loyalty_card.points, back.reward.id) == (-30, -30, coupon.id)
        assert loyalties.get_member(card.code).loyalty_card.balance == 100
        pay = rewards.create_reward(
            Create.from_dict({"name": "Pay", "parameters": {"coin": {"exchange_ratio": 20, "points_ratio": "100"}}})
        )
        rewards.create_reward_assignment(pay.id, Assign.from_dict({"campaign": made.id}))
        paid = loyalties.redeem_reward(
            card.code, Redeem.from_dict({"reward": {"id": pay.id, "points": 100}, "order": {"amount": 5000}})
        )
        assert (paid.order.total_amount, paid.loyalty_card.points) == (3000, 100)
        assert rewards.get_reward(pay.id).redeemed == 1
