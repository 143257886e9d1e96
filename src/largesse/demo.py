"""Demo data: a shop with a code, a gift card and a product, and commands to try on them."""

import msgspec
from sqlalchemy.engine import Connection

import largesse.customers.service as customers
import largesse.products.service as products
import largesse.vouchers.service as vouchers
from largesse.customers.model import CustomerInput
from largesse.kernel import clock, ids, wire
from largesse.kernel.access import keys, projects
from largesse.kernel.call import Call, Caller
from largesse.kernel.database.unit import Unit
from largesse.kernel.events import write_events
from largesse.kernel.project import ProjectSettings
from largesse.kernel.settings import Settings
from largesse.products.model import ProductCreate
from largesse.vouchers.model import VoucherCreate

NAME = "Demo shop"
# Published here, so that the printed commands work every time: never use a demo store for anything else.
SERVER_KEYS = ("11111111-de30-4000-8000-000000000001", "22222222-de30-4000-8000-000000000002")
CLIENT_KEYS = ("33333333-de30-4000-8000-000000000003", "44444444-de30-4000-8000-000000000004")
_VOUCHERS = (
    {"code": "WELCOME10", "discount": {"type": "PERCENT", "percent_off": 10, "amount_limit": 3000}},
    {"code": "FIVE-OFF", "discount": {"type": "AMOUNT", "amount_off": 500}, "redemption": {"quantity": 100}},
    {"code": "GIFT-50", "gift": {"amount": 5000}},
)


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
    customers.create(unit, CustomerInput(source_id="ann", name="Ann Example", email="ann@example.com"))
    write_events(conn, project.id, unit.events)


def _instructions(base_url: str) -> str:
    headers = f"-H 'X-App-Id: {SERVER_KEYS[0]}' -H 'X-App-Token: {SERVER_KEYS[1]}' -H 'Content-Type: application/json'"
    cart = {
        "redeemables": [{"object": "voucher", "id": "WELCOME10"}],
        "order": {"items": [{"source_id": "mug", "related_object": "product", "quantity": 2}]},
        "customer": {"source_id": "ann"},
    }
    return f"""
Demo shop (its keys are public: for trying out only)
  X-App-Id     {SERVER_KEYS[0]}
  X-App-Token  {SERVER_KEYS[1]}
  client side  {CLIENT_KEYS[0]} / {CLIENT_KEYS[1]}
  codes        WELCOME10, FIVE-OFF, GIFT-50
  API docs     {base_url}/docs

Redeem:
  curl -s {base_url}/v1/redemptions {headers} \\
    -d '{wire.encode_text(cart)}'

Undo the newest redemption:
  ID=$(curl -s '{base_url}/v1/redemptions?filters%5Bobject%5D%5Bconditions%5D%5B%24is%5D=redemption&result=SUCCESS&limit=1' \\
    {headers} | grep -o '"id":"r_[0-9a-f]*"' | head -1 | cut -d'"' -f4)
  curl -s -X POST {base_url}/v1/redemptions/$ID/rollback {headers} -d '{{"reason":"changed my mind"}}'
"""
