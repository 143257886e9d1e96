"""From an order as sent to an order that can be calculated, and back after an undo."""

import msgspec

from largesse.engine.customer import CustomerInput
from largesse.engine.decision import commit
from largesse.engine.order import (
    MAX_AMOUNT,
    Catalog,
    CatalogEntry,
    ItemDetails,
    Line,
    LineInput,
    Order,
    OrderInput,
    catalog_keys,
    check_amount,
    check_size,
    normalise,
)
from largesse.engine.rollback import rollback_deadline, undo_order
from largesse.engine.sessions import Session, locks_for
from tests.engine.carts import NOW, UTC, amount_off, ask, card, cart, code, decided, percent_off
from tests.engine.test_preconditions import at

MUG = CatalogEntry("prod_1", "mug", "Mug", 2000, {"color": "red"})
BIG = CatalogEntry("sku_1", "mug-big", "Big", 2500, None, "prod_1")
CATALOG = Catalog({"prod_1": MUG, "mug": MUG}, {"sku_1": BIG, "mug-big": BIG})


def amounts(*lines: LineInput) -> list[int | None]:
    return [line.amount for line in normalise(OrderInput(items=list(lines)), CATALOG).lines or ()]


def test_prices_come_from_the_line_then_its_details_then_the_catalogue() -> None:
    assert amounts(
        LineInput(product_id="prod_1", price=100, quantity=2),
        LineInput(product_id="prod_1", product=ItemDetails(price=300), sku=ItemDetails(price=400)),
        LineInput(sku_id="sku_1"),
        LineInput(source_id="mug", related_object="product", quantity="3"),
        LineInput(source_id="mug-big", related_object="sku"),
        LineInput(product_id="prod_1", amount=7),
        LineInput(product_id="prod_9"),
    ) == [200, 400, 2500, 6000, 2500, 7, None]


def test_an_order_without_amount_adds_its_lines_up() -> None:
    order = normalise(OrderInput(items=[LineInput(price=2000), LineInput(price=700), LineInput()]), CATALOG)
    assert order.amount == 2700
    assert normalise(OrderInput(items=[LineInput()]), CATALOG).amount is None
    assert normalise(OrderInput(items=[LineInput()], amount=10000), CATALOG).amount == 10000
    assert normalise(OrderInput(), CATALOG) == Order()


def test_lines_show_what_is_known_of_their_product() -> None:
    line = normalise(OrderInput(items=[LineInput(sku_id="mug-big", metadata={"a": 1})]), CATALOG).lines
    assert line is not None
    assert (line[0].product_id, line[0].sku_id) == ("prod_1", "sku_1")
    assert line[0].product == {
        "id": "prod_1",
        "source_id": "mug",
        "name": "Mug",
        "price": 2000,
        "metadata": {"color": "red"},
    }
    assert line[0].sku == {"id": "sku_1", "source_id": "mug-big", "sku": "Big", "price": 2500}
    named = normalise(OrderInput(items=[LineInput(product=ItemDetails(name="Tea", override=True))]), CATALOG).lines
    assert named is not None
    assert named[0].product == {"name": "Tea"}


def test_the_keys_to_look_up() -> None:
    sent = OrderInput(
        items=[
            LineInput(product_id="p", sku_id="s"),
            LineInput(source_id="x"),
            LineInput(source_id="y", related_object="sku"),
            LineInput(product=ItemDetails(id="q"), sku=ItemDetails(source_id="t")),
        ]
    )
    assert catalog_keys(sent) == ({"p", "x", "q"}, {"s", "y", "t"})
    assert catalog_keys(OrderInput(customer=CustomerInput())) == (set(), set())


def test_impossible_sizes_are_refused() -> None:
    assert check_size(OrderInput(items=[LineInput()] * 500)) is None
    too_many = check_size(OrderInput(items=[LineInput()] * 501))
    assert too_many is not None
    assert too_many.key == "invalid_order"
    assert check_amount(Order(amount=MAX_AMOUNT)) is None
    for order in (Order(amount=MAX_AMOUNT + 1), Order(lines=(Line(amount=MAX_AMOUNT + 1),))):
        refusal = check_amount(order)
        assert refusal is not None
        assert refusal.key == "invalid_amount"


def test_undoing_the_only_redemption_gives_the_whole_order_back() -> None:
    order = cart((1000, 2), (500, 1))
    done = decided(order, ask(code(percent_off(10, effect="APPLY_TO_ITEMS"))), ask(code(amount_off(100), "v_2"))).order
    assert done is not None
    undone = undo_order(msgspec.structs.replace(done, status="PAID"), done, others_active=False)
    assert undone == msgspec.structs.replace(order, status="CANCELED")
    assert undo_order(Order(amount=5), Order(amount=5), others_active=False) == Order(amount=5, status="CANCELED")


def test_undoing_one_of_two_takes_only_its_own_away() -> None:
    order = cart((10000, 1))
    first = decided(order, ask(code(amount_off(2000)))).order
    assert first is not None
    second = decided(first, ask(code(percent_off(10, effect="APPLY_TO_ITEMS"), "v_2"))).order
    assert second is not None
    left = undo_order(second, first, others_active=True)
    assert (left.discount_amount, left.items_discount_amount, left.total_amount) == (0, 1000, 9000)
    bare = undo_order(left, second, others_active=True)
    assert (bare.items_discount_amount, bare.total_amount) == (0, 10000)
    assert [line.discount_quantity for line in bare.lines or ()] == [None]


def test_an_order_rewritten_meanwhile_keeps_its_lines() -> None:
    applied = decided(cart((1000, 1)), ask(code(percent_off(10, effect="APPLY_TO_ITEMS")))).order
    assert applied is not None
    rewritten = cart((1000, 1), (500, 1))
    assert undo_order(rewritten, applied, others_active=True).lines == rewritten.lines


def test_three_months_end_with_the_month() -> None:
    assert rollback_deadline(at("2026-11-30T10:00:00"), 3, UTC) == at("2027-02-28T10:00:00")
    assert rollback_deadline(at("2027-11-30T10:00:00"), 3, UTC) == at("2028-02-29T10:00:00")


def test_committing_moves_the_entries_and_frees_the_sessions_locks() -> None:
    voucher, gift = code(amount_off(100), quantity=2), card(5000)
    decision = decided(Order(amount=1000), ask(voucher), ask(gift, 300), session_key="s")
    assert locks_for(decision) == [("v_1", 1, 0), ("g_1", 1, 300)]
    from largesse.engine.books import Lock

    voucher.locks = [Lock("s", 1, 0, NOW + 1), Lock("other", 1, 0, NOW + 1)]
    commit(decision, "s")
    assert (voucher.redeemed_quantity, gift.redeemed_quantity, gift.balance) == (1, 1, 4700)
    assert [lock.session_key for lock in voucher.locks] == ["other"]


def test_sessions_last_seven_days_unless_told_otherwise() -> None:
    day = 86_400_000_000
    assert Session().lifetime() == 7 * day
    assert Session(ttl=1).lifetime() == day
    assert Session(ttl_unit="HOURS").lifetime() == 7 * day // 24
    assert Session(ttl=1, ttl_unit="NANOSECONDS").lifetime() == 1
    assert Session(ttl=10**18).lifetime() == 3650 * day
