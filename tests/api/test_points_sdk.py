"""Points through the official Python SDK, unmodified: it refuses whatever does not fit its description of the API."""

from typing import Any

import voucherify

from tests.api import rewards
from tests.api.loyalty import MONTH, Program
from tests.api.shop import ok
from tests.servers import Server


def test_the_points_of_a_member_are_changed_and_looked_at(server: Server) -> None:
    program = Program(server, MONTH, points=100)
    card, other = program.card(), program.card()
    sdk = server.sdk()
    loyalties, vouchers = voucherify.LoyaltiesApi(sdk), voucherify.VouchersApi(sdk)

    added = loyalties.update_loyalty_card_balance(
        member_id=card,
        loyalties_members_balance_update_request_body=voucherify.LoyaltiesMembersBalanceUpdateRequestBody(points=50),
    )
    assert (added.points, added.total, added.balance) == (50, 150, 150)
    given = voucherify.LoyaltiesTransferPoints(code=other, points=5)
    target = loyalties.transfer_points(campaign_id=program.id, member_id=card, loyalties_transfer_points=[given])
    assert target.loyalty_card.balance == 155
    amount = voucherify.VouchersBalanceUpdateRequestBody(amount=5)
    assert vouchers.update_voucher_balance(code=card, vouchers_balance_update_request_body=amount).balance == 160

    buckets = loyalties.list_points_expiration(campaign_id=program.id, member_id=card).data
    assert [bucket.bucket.total_points for bucket in buckets] == [60, 100]
    expected = ["POINTS_ADDITION", "POINTS_TRANSFER_IN", "POINTS_ADDITION"]
    made = loyalties.list_loyalty_card_transactions(member_id=card).data
    assert [transaction.type.value for transaction in made] == expected
    assert len(loyalties.list_loyalty_campaign_transactions(campaign_id=program.id).data) == 4


def test_pending_points_are_decided_on(server: Server) -> None:
    program = Program(server, MONTH)
    card = program.card()
    loyalties = voucherify.LoyaltiesApi(server.sdk())
    id, other = program.await_points(card, 7, 10), program.await_points(card, 9, 10)
    assert [entry.points for entry in loyalties.list_member_pending_points(member_id=card).data] == [9, 7]
    assert len(loyalties.list_campaign_pending_points(campaign_id=program.id).data) == 2
    change = voucherify.LoyaltiesMembersPendingPointsBalanceRequestBody(points=3)
    adjusted = loyalties.adjust_member_pending_points(
        member_id=card, pending_points_id=id, loyalties_members_pending_points_balance_request_body=change
    )
    assert adjusted.total == 19
    assert loyalties.activate_member_pending_points(member_id=card, pending_points_id=id).balance == 10
    loyalties.cancel_member_pending_points(member_id=card, pending_points_id=other)
    assert loyalties.list_member_pending_points(member_id=card).data == []


def test_the_activity_of_a_member_can_be_read_whatever_happened(server: Server) -> None:
    program = Program(server, points=100)
    code = program.card()
    program.add(code, 5)
    program.await_points(code, 7, 10)
    card: Any = ok(server.client.get(f"/v1/vouchers/{code}"))
    prize = rewards.material(server.client)
    rewards.offer(server.client, card, prize, 10)
    rewards.undo(server.client, rewards.buy(server.client, card, prize))
    found = voucherify.LoyaltiesApi(server.sdk()).list_member_activity(member_id=code, limit=100).data
    assert {activity.type for activity in found} >= {
        "customer.redemption.succceeded",
        "customer.redemption.rollback.succceeded",
        "customer.voucher.loyalty_card.points_added",
        "customer.voucher.loyalty_card.pending_points.added",
        "customer.publication.succeeded",
    }
