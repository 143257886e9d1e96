"""Demo data: a shop with products, codes, a campaign and a promotion, and commands to try on them."""

import msgspec
from sqlalchemy.engine import Connection

import largesse.campaigns.service as campaigns
import largesse.categories.service as categories
import largesse.customers.service as customers
import largesse.products.service as products
import largesse.promotions.stacks as stacks
import largesse.publications.service as publications
import largesse.validation_rules.service as validation_rules
import largesse.vouchers.pool as pool
import largesse.vouchers.service as vouchers
from largesse.campaigns.holdings import Holdings
from largesse.campaigns.model import DISCOUNT_COUPONS, PROMOTION, CampaignCreate
from largesse.categories.model import CategoryInput
from largesse.customers.model import CustomerInput
from largesse.kernel import clock, ids, wire
from largesse.kernel.access import keys, projects
from largesse.kernel.call import Call, Caller
from largesse.kernel.database.unit import Unit
from largesse.kernel.events import write_events
from largesse.kernel.project import ProjectSettings
from largesse.kernel.settings import Settings
from largesse.products.model import ProductCreate
from largesse.promotions.model import StackCreate
from largesse.promotions.service import TierHoldings
from largesse.validation_rules.model import RuleInput
from largesse.vouchers.model import CampaignVoucher, VoucherCreate
from largesse.vouchers.pool import CodeHoldings

NAME = "Demo shop"
# Published here, so that the printed commands work every time: never use a demo store for anything else.
SERVER_KEYS = ("11111111-de30-4000-8000-000000000001", "22222222-de30-4000-8000-000000000002")
CLIENT_KEYS = ("33333333-de30-4000-8000-000000000003", "44444444-de30-4000-8000-000000000004")
_VOUCHERS = (
    {"code": "WELCOME10", "discount": {"type": "PERCENT", "percent_off": 10, "amount_limit": 3000}},
    {"code": "FIVE-OFF", "discount": {"type": "AMOUNT", "amount_off": 500}, "redemption": {"quantity": 100}},
    {"code": "GIFT-50", "gift": {"amount": 5000}},
)
_HOLDINGS: dict[str, Holdings] = {
    DISCOUNT_COUPONS: CodeHoldings(publications.remove_of_vouchers),
    PROMOTION: TierHoldings(),
}
_MUGS_ONLY = {
    "name": "Mugs only",
    "applicable_to": {"included": [{"object": "product", "source_id": "mug"}], "excluded": [], "included_all": False},
}
_MUG_CAMPAIGN = {
    "name": "Mug days",
    "campaign_type": "DISCOUNT_COUPONS",
    "type": "AUTO_UPDATE",
    "category": "Seasonal",
    "voucher": {
        "type": "DISCOUNT_VOUCHER",
        "discount": {"type": "PERCENT", "percent_off": 20, "effect": "APPLY_TO_ITEMS"},
        "code_config": {"pattern": "MUG-######"},
    },
}
_PROMOTION = {
    "name": "Spring offers",
    "campaign_type": "PROMOTION",
    "promotion": {
        "tiers": [
            {
                "name": "Cheaper mugs",
                "banner": "1.00 off every mug",
                "action": {"discount": {"type": "AMOUNT", "amount_off": 100, "effect": "APPLY_TO_ITEMS_BY_QUANTITY"}},
            },
            {
                "name": "5 percent off",
                "banner": "5 % off everything",
                "action": {"discount": {"type": "PERCENT", "percent_off": 5, "effect": "APPLY_TO_ORDER"}},
            },
        ]
    },
}


def create_demo(conn: Connection, settings: Settings) -> str:
    """Creates the demo project unless it is there already; answers what to tell the user."""
    if keys.find_key(conn, SERVER_KEYS[0]) is None:
        _fill(conn, settings)
    return _instructions(settings.base_url)


def _fill(conn: Connection, settings: Settings) -> None:
    now = clock.now_micros()
    project = projects.create_project(
        conn, ProjectSettings(name=NAME, client_trusted_domains=["*"], client_redeem_enabled=True), now
    )
    keys.create_key(conn, project.id, now, name="Demo", pair=SERVER_KEYS)
    keys.create_key(conn, project.id, now, kind="client", name="Demo client side", pair=CLIENT_KEYS)
    caller = Caller(surface="server", key_id=SERVER_KEYS[0], key_name="Demo")
    unit = Unit(conn, Call(project=project, caller=caller, request_id=ids.request_id(), now=now))
    for voucher in _VOUCHERS:
        vouchers.create(unit, msgspec.convert(voucher, VoucherCreate), settings.base_url)
    products.create_product(unit, ProductCreate(source_id="mug", name="Mug", price=1200))
    customers.upsert(unit, CustomerInput(source_id="ann", name="Ann Example", email="ann@example.com"))
    _add_campaigns(unit, settings.base_url)
    write_events(conn, project.id, unit.events)


def _add_campaigns(unit: Unit, base_url: str) -> None:
    """A campaign whose codes are for mugs, and a promotion of two tiers and the stack of both."""
    categories.create(unit, CategoryInput(name="Seasonal", hierarchy=0))
    mugs_only = validation_rules.create(unit, msgspec.convert(_MUGS_ONLY, RuleInput)).id
    mug_days = msgspec.convert(_MUG_CAMPAIGN | {"validation_rules": [mugs_only]}, CampaignCreate)
    campaign = campaigns.create(unit, mug_days, _HOLDINGS)
    pool.add_code(unit, campaign.id, CampaignVoucher(), base_url, code="MUG-20")
    promotion = campaigns.create(unit, msgspec.convert(_PROMOTION, CampaignCreate), _HOLDINGS)
    tiers = [tier.id for tier in promotion.promotion.tiers]
    validation_rules.assign(unit, [mugs_only], "promotion_tier", tiers[0])
    stack = {"name": "All spring offers", "tiers": {"ids": tiers}}
    stacks.create(unit, promotion.id, msgspec.convert(stack, StackCreate))


def _instructions(base_url: str) -> str:
    headers = f"-H 'X-App-Id: {SERVER_KEYS[0]}' -H 'X-App-Token: {SERVER_KEYS[1]}' -H 'Content-Type: application/json'"
    cart = {
        "redeemables": [{"object": "voucher", "id": "WELCOME10"}],
        "order": {"items": [{"source_id": "mug", "related_object": "product", "quantity": 2}]},
        "customer": {"source_id": "ann"},
    }
    newest = "&".join(
        (
            "filters%5Bobject%5D%5Bconditions%5D%5B%24is%5D=redemption",
            "filters%5Bparent_redemption_id%5D%5Bconditions%5D%5B%24is_unknown%5D=true",  # a stack is undone as a whole
            "result=SUCCESS&limit=1",
        )
    )
    return f"""
Demo shop (its keys are public: for trying out only)
  X-App-Id     {SERVER_KEYS[0]}
  X-App-Token  {SERVER_KEYS[1]}
  client side  {CLIENT_KEYS[0]} / {CLIENT_KEYS[1]}
  codes        WELCOME10, FIVE-OFF, GIFT-50, MUG-20 (mugs only)
  API docs     {base_url}/docs

Redeem:
  curl -s {base_url}/v1/redemptions {headers} \\
    -d '{wire.encode_text(cart)}'

Redeem all offers of a promotion at once:
  STACK=$(curl -s {base_url}/v1/promotions/stacks {headers} | grep -o '"id":"stack_[0-9A-Za-z]*"' | head -1 | cut -d'"' -f4)
  curl -s {base_url}/v1/redemptions {headers} \\
    -d '{{"redeemables":[{{"object":"promotion_stack","id":"'$STACK'"}}],"order":{wire.encode_text(cart["order"])}}}'

Undo the newest redemption:
  ID=$(curl -s '{base_url}/v1/redemptions?{newest}' \\
    {headers} | grep -o '"id":"r_[0-9a-f]*"' | head -1 | cut -d'"' -f4)
  curl -s -X POST {base_url}/v1/redemptions/$ID/rollbacks {headers} -d '{{"reason":"changed my mind"}}'
"""
