"""Programs, members and publications through the official Python SDK, unmodified."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import voucherify

from tests.api.shop import name
from tests.servers import Server


@pytest.fixture(scope="module")
def sdk(server: Server) -> Any:
    return server.sdk()


def test_a_program_gets_members(server: Server, sdk: Any) -> None:
    loyalties, customers = voucherify.LoyaltiesApi(sdk), voucherify.CustomersApi(sdk)
    program = loyalties.create_loyalty_program(
        voucherify.LoyaltiesCreateCampaignRequestBody.from_dict(
            {
                "name": name("Program"),
                "type": "AUTO_UPDATE",
                "voucher": {
                    "type": "LOYALTY_CARD",
                    "loyalty_card": {
                        "points": 100,
                        "expiration_rules": {
                            "period_type": "MONTH",
                            "period_value": 3,
                            "rounding_type": "END_OF_MONTH",
                        },
                    },
                },
                "loyalty_tiers_expiration": {"qualification_type": "BALANCE"},
            }
        )
    )
    assert program.join_once is True
    assert program.voucher.loyalty_card.points == 100
    assert loyalties.get_loyalty_program(program.name).id == program.id
    assert program.id in [one.id for one in loyalties.list_loyalty_programs(limit=5).campaigns]

    source = name("member")
    body = voucherify.LoyaltiesMembersCreateRequestBody.from_dict({"customer": {"source_id": source}, "channel": "app"})
    card = loyalties.add_member(program.id, body)
    assert card.loyalty_card.balance == 100
    assert loyalties.add_member(program.id, body).code == card.code
    assert loyalties.get_member(card.code).holder_id == card.holder_id
    assert loyalties.get_member1(program.id, card.id).publish.count == 1
    yesterday = datetime.now(UTC) - timedelta(days=1)
    found = loyalties.list_members(program.id, customer=source, created_at={"after": yesterday.isoformat()})
    assert [one.code for one in found.vouchers] == [card.code]
    assert loyalties.list_members(program.id, created_at={"before": yesterday.isoformat()}).total == 0
    shown = customers.get_customer(source)
    assert shown.loyalty.points == 100
    assert shown.loyalty.campaigns[program.name]["points"] == 100
    assert shown.summary.redemptions.loyalty_card.points_to_go == 100

    changed = loyalties.update_loyalty_program(
        program.id,
        voucherify.LoyaltiesUpdateCampaignRequestBody.from_dict(
            {"loyalty_card": {"points": 5}, "options": {"recalculate_tiers": False}, "auto_join": True}
        ),
    )
    assert changed.auto_join is True
    assert loyalties.delete_loyalty_program(program.id, force=True).async_action_id.startswith("aa_")
    server.verify()


def test_codes_are_published(sdk: Any) -> None:
    publications, campaigns = voucherify.PublicationsApi(sdk), voucherify.CampaignsApi(sdk)
    campaign = campaigns.create_campaign(
        voucherify.CampaignsCreateRequestBody.from_dict(
            {
                "campaign_type": "DISCOUNT_COUPONS",
                "name": name("Coupons"),
                "type": "AUTO_UPDATE",
                "voucher": {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 100}},
            }
        )
    )
    source = name("reader")
    sent = {"customer": {"source_id": source}, "campaign": {"name": campaign.name, "count": 1}, "source_id": name("P")}
    body = voucherify.PublicationsCreateRequestBody.from_dict(sent)
    first = publications.create_publication(publications_create_request_body=body)
    made = first
    assert made.result == "SUCCESS"
    assert made.voucher.publish.count == 1
    again = publications.create_publication(join_once=True, publications_create_request_body=body)
    assert again.id == made.id
    by_query = publications.create_publication1(
        customer=voucherify.Customer(source_id=source),
        campaign=voucherify.CreatePublicationCampaign(name=campaign.name, count=1),
        metadata={"a": {"b": "c"}},
    )
    assert by_query.customer_id == made.customer_id
    assert by_query.metadata == {"a": {"b": "c"}}
    listed = publications.list_publications(
        customer=source, result="SUCCESS", order="-created_at", voucher_type="discount"
    )
    assert listed.total == 2
    assert [one.source_id for one in listed.publications] == [None, made.source_id]
