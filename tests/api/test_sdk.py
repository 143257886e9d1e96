"""The whole story through the official Python SDK, unmodified."""

from typing import Any

import pytest
import voucherify

from tests.api.shop import name
from tests.servers import Server


@pytest.fixture(scope="module")
def sdk(server: Server) -> Any:
    return server.sdk()


def test_a_shop_redeems_a_cart_and_takes_it_back(server: Server, sdk: Any) -> None:
    customers, products = voucherify.CustomersApi(sdk), voucherify.ProductsApi(sdk)
    vouchers, validations = voucherify.VouchersApi(sdk), voucherify.ValidationsApi(sdk)
    redemptions, orders = voucherify.RedemptionsApi(sdk), voucherify.OrdersApi(sdk)
    source, code, card = name("cust"), name("CODE"), name("CARD")

    customer = customers.create_customer(
        voucherify.CustomersCreateRequestBody(source_id=source, name="Ann", metadata={"vip": True})
    )
    assert customer.source_id == source
    product = products.create_product(
        voucherify.ProductsCreateRequestBody(name=name("Mug"), source_id=name("mug"), price=2000)
    )
    vouchers.create_voucher(
        code=code,
        vouchers_create_with_specific_code_request_body=_voucher(
            {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10.0}}
        ),
    )
    vouchers.create_voucher(
        code=card,
        vouchers_create_with_specific_code_request_body=_voucher({"type": "GIFT_VOUCHER", "gift": {"amount": 5000}}),
    )
    request: dict[str, Any] = {
        "redeemables": [
            {"object": "voucher", "id": code},
            {"object": "voucher", "id": card, "gift": {"credits": 500}},
        ],
        "order": {"source_id": name("order"), "items": [{"product_id": product.id, "quantity": 2}]},
        "customer": {"source_id": source},
    }
    validated = validations.validate_stacked_discounts(voucherify.ValidationsValidateRequestBody.from_dict(request))
    assert validated.valid
    assert validated.order.total_amount == 3100

    redeemed = redemptions.redeem_stacked_discounts(voucherify.RedemptionsRedeemRequestBody.from_dict(request))
    assert redeemed.order.total_amount == 3100
    assert redeemed.order.total_applied_discount_amount == 900
    assert len(redeemed.redemptions) == 2
    assert vouchers.get_voucher(card).gift.balance == 4500
    assert customers.get_customer(source).summary.redemptions.total_succeeded == 2

    parent = redeemed.parent_redemption.id
    undone = redemptions.rollback_stacked_redemptions(
        parent_redemption_id=parent,
        redemptions_rollbacks_create_request_body=voucherify.RedemptionsRollbacksCreateRequestBody(
            reason="changed mind"
        ),
    )
    assert [rollback.amount for rollback in undone.rollbacks] == [None, -500]
    assert undone.order.status == "CANCELED"
    assert undone.order.total_amount == 4000
    assert vouchers.get_voucher(card).gift.balance == 5000
    assert vouchers.get_voucher(code).redemption.redeemed_quantity == 0
    assert orders.get_order(redeemed.order.id).status == "CANCELED"
    assert redemptions.get_redemption(parent).status == "ROLLED_BACK"
    listed = redemptions.list_redemptions(customer=source)
    assert listed.total == 6
    assert redemptions.get_voucher_redemptions(code).redeemed_quantity == 0
    server.verify()


def test_a_single_redemption_is_rolled_back_through_its_own_endpoint(sdk: Any) -> None:
    vouchers, redemptions = voucherify.VouchersApi(sdk), voucherify.RedemptionsApi(sdk)
    code = name("ONE")
    vouchers.create_voucher(
        code=code,
        vouchers_create_with_specific_code_request_body=_voucher(
            {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 300.0}}
        ),
    )
    request = {"redeemables": [{"object": "voucher", "id": code}], "order": {"amount": 22500}}
    redeemed = redemptions.redeem_stacked_discounts(voucherify.RedemptionsRedeemRequestBody.from_dict(request))
    only = redeemed.redemptions[0].id
    undone = redemptions.rollback_redemption(redemption_id=only, reason="test")
    assert undone.redemption == only
    assert undone.result == "SUCCESS"
    with pytest.raises(voucherify.exceptions.BadRequestException) as refused:
        redemptions.rollback_redemption(redemption_id=only)
    assert "already_rolled_back" in refused.value.body


def test_lists_and_single_objects_parse_in_the_sdk(sdk: Any) -> None:
    vouchers = voucherify.VouchersApi(sdk)
    assert vouchers.list_vouchers(limit=5).object == "list"
    assert voucherify.CustomersApi(sdk).list_customers(limit=5).object == "list"
    assert voucherify.ProductsApi(sdk).list_products(limit=5).object == "list"
    assert voucherify.OrdersApi(sdk).list_orders(limit=5).object == "list"
    random = vouchers.generate_random_code(
        voucherify.VouchersCreateRequestBody.from_dict(
            {
                "type": "DISCOUNT_VOUCHER",
                "discount": {"type": "AMOUNT", "amount_off": 100},
                "code_config": {"pattern": "SDK-####"},
            }
        )
    )
    assert random.code.startswith("SDK-")
    assert vouchers.disable_voucher(random.code).active is False
    assert vouchers.enable_voucher(random.code).active is True
    vouchers.delete_voucher(random.code, force=True)
    with pytest.raises(voucherify.exceptions.NotFoundException):
        vouchers.get_voucher(random.code)


def _voucher(body: dict[str, Any]) -> Any:
    return voucherify.VouchersCreateWithSpecificCodeRequestBody.from_dict(body)
