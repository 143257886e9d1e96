"""The whole service, over HTTP and through time, does what the plain model of a shop does."""

import itertools
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from largesse import verification
from largesse.app import create_app
from largesse.kernel import clock
from largesse.kernel.clock import DAY, HOUR, SECOND
from largesse.kernel.database.stores import open_writer
from largesse.kernel.settings import Settings
from tests.conftest import STORES, new_store
from tests.model.shop import Ask, Redemption, Shop, Voucher
from tests.servers import plain_client, run

pytestmark = pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")
_names = itertools.count()
EXAMPLES = {"sqlite": (40, 60), "postgresql": (8, 60)}  # how many lives, of how many steps at most
KEYS = st.sampled_from(["A", "B", "C"])
AMOUNTS = st.integers(1, 20_000)


class Service:
    """A server in this process, so that its clock can be moved."""

    def __init__(self, store: str) -> None:
        run("migrate", store=store)
        keys = run("project", "create", "Model", "--json", store=store).stdout
        self.settings = Settings(database_url=store, log_level="error")
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(self.settings), log_config=None, access_log=False)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        found = json.loads(keys)
        headers = {"X-App-Id": found["app_id"], "X-App-Token": found["app_token"]}
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.client = plain_client(base_url, headers)
        self._ahead = 0

    def move_clock(self, micros: int) -> None:
        self._ahead += micros // SECOND
        clock.run_ahead(self._ahead)

    def verify(self) -> None:
        engine = open_writer(self.settings)
        with engine.connect() as conn:
            assert verification.run(conn) == []
            assert [flaw for found in verification.chains(conn).values() for flaw in found.flaws] == []
        engine.dispose()

    def stop(self) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(30)
        clock.run_ahead(0)


@pytest.fixture(scope="module", params=STORES)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    directory: Path = tmp_path_factory.mktemp("model")
    running = Service(new_store(str(request.param), request, directory))
    yield running
    running.stop()


class Life(RuleBasedStateMachine):
    """A random life of a shop: every answer is compared with the model's, every number of a voucher after each step."""

    codes = Bundle("codes")
    cards = Bundle("cards")
    redemptions = Bundle("redemptions")

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.service = service
        self.client = service.client
        self.shop = Shop()
        self.touched: set[str] = set()

    def _send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = self.client.request(method, path, json=body)
        return answer.status_code, answer.json() if answer.content else None

    @initialize(target=codes)
    def some_codes(self) -> Any:
        return multiple(*(self._new(off=500, quantity=2), self._new(percent=33)))

    def _new(self, **values: Any) -> str:
        voucher = Voucher(code=f"M{next(_names)}", **values)
        if voucher.is_gift:
            body: dict[str, Any] = {"type": "GIFT_VOUCHER", "gift": {"amount": voucher.credited}}
        elif voucher.off is not None:
            body = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": voucher.off}}
        else:
            body = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": voucher.percent}}
        dates = {"start_date": clock.iso_or_none(voucher.starts), "expiration_date": clock.iso_or_none(voucher.ends)}
        body |= {"redemption": {"quantity": voucher.quantity}} | dates
        status, made = self._send("POST", f"/v1/vouchers/{voucher.code}", body)
        assert status == 200, made
        self.shop.vouchers[voucher.code] = voucher
        return voucher.code

    @rule(
        target=codes,
        value=st.one_of(
            st.fixed_dictionaries({"off": st.integers(1, 5000)}),
            st.fixed_dictionaries({"percent": st.integers(1, 100)}),
        ),
        quantity=st.one_of(st.none(), st.integers(1, 4)),
        days=st.one_of(st.none(), st.tuples(st.integers(-2, 3), st.integers(4, 60))),
    )
    def make_code(self, value: dict[str, int], quantity: int | None, days: tuple[int, int] | None) -> str:
        now = clock.now_micros()
        dates = {} if days is None else {"starts": now + days[0] * DAY + HOUR, "ends": now + days[1] * DAY + HOUR}
        return self._new(quantity=quantity, **value, **dates)

    @rule(target=cards, credits=st.integers(1, 30_000), quantity=st.one_of(st.none(), st.integers(1, 4)))
    def make_card(self, credits: int, quantity: int | None) -> str:
        return self._new(credited=credits, quantity=quantity)

    def _body(self, asks: list[Ask], amount: int) -> dict[str, Any]:
        redeemables: list[dict[str, Any]] = []
        for code, credits in asks:
            redeemables.append({"object": "voucher", "id": code} | ({"gift": {"credits": credits}} if credits else {}))
        self.touched |= {code for code, _ in asks}
        return {"redeemables": redeemables, "order": {"amount": amount}}

    asked = st.tuples(
        st.lists(codes, max_size=3, unique=True),
        st.lists(st.tuples(cards, st.one_of(st.none(), AMOUNTS)), max_size=2, unique_by=lambda ask: ask[0]),
        st.randoms(use_true_random=False),
    ).map(lambda parts: _mixed([(code, None) for code in parts[0]] + parts[1], parts[2]))

    @rule(asks=asked, amount=AMOUNTS, key=KEYS, hours=st.one_of(st.none(), st.integers(1, 400)))
    def validate(self, asks: list[Ask], amount: int, key: str, hours: int | None) -> None:
        """With hours, what it takes is held for so long."""
        if not asks:
            return
        now = clock.now_micros()
        held = {"session": {"type": "LOCK", "key": key, "ttl": hours, "ttl_unit": "HOURS"}} if hours else {}
        status, found = self._send("POST", "/v1/validations", self._body(asks, amount) | held)
        expected = self.shop.decide(asks, amount, key if hours else None, now)
        assert status == 200, found
        if isinstance(expected, str):
            assert not found["valid"]
            assert self._first_error(found) == expected
            return
        assert found["valid"], found
        assert found["order"].get("total_discount_amount", 0) == sum(part.off for part in expected)
        if hours:
            self.shop.hold(expected, key, now + hours * HOUR)

    def _first_error(self, found: Any) -> str:
        errors = [one["result"]["error"]["key"] for one in found["redeemables"] if one["status"] == "INAPPLICABLE"]
        return str(errors[0])

    @rule(target=redemptions, asks=asked, amount=AMOUNTS, key=st.one_of(st.none(), KEYS))
    def redeem(self, asks: list[Ask], amount: int, key: str | None) -> Any:
        if not asks:
            return multiple()
        now = clock.now_micros()
        session = {"session": {"type": "LOCK", "key": key}} if key else {}
        status, found = self._send("POST", "/v1/redemptions", self._body(asks, amount) | session)
        expected = self.shop.decide(asks, amount, key, now)
        if isinstance(expected, str):
            assert (status, found["key"]) == (404 if expected == "not_found" else 400, expected)
            return multiple()
        assert status == 200, found
        assert found["order"].get("total_discount_amount", 0) == sum(part.off for part in expected)
        credits = [one.get("amount", 0) or 0 for one in found["redemptions"]]
        assert credits == [part.credits for part in expected]
        id = found["parent_redemption"]["id"] if len(expected) > 1 else found["redemptions"][0]["id"]
        return (id, self.shop.redeem(expected, key, now))

    @rule(redemption=redemptions)
    def undo(self, redemption: tuple[str, Redemption]) -> None:
        id, model = redemption
        many = len(model.parts) > 1
        status, found = self._send("POST", f"/v1/redemptions/{id}/{'rollbacks' if many else 'rollback'}")
        expected = self.shop.undo(model, clock.now_micros())
        self.touched |= {part.voucher.code for part in model.parts}
        if expected is not None:
            assert (status, found["key"]) == (400, expected)
            return
        assert status == 200, found
        rollbacks = found["rollbacks"] if many else [found]
        assert [one.get("amount", 0) or 0 for one in rollbacks] == [-part.credits for part in model.parts]

    @rule(card=cards, credits=st.integers(-20_000, 20_000).filter(bool))
    def adjust(self, card: str, credits: int) -> None:
        status, found = self._send("POST", f"/v1/vouchers/{card}/balance", {"amount": credits})
        expected = self.shop.adjust(card, credits)
        self.touched.add(card)
        assert (status, found.get("key")) == ((200, None) if expected is None else (400, expected))

    @rule(code=st.one_of(codes, cards), on=st.booleans())
    def switch(self, code: str, on: bool) -> None:
        status, _ = self._send("POST", f"/v1/vouchers/{code}/{'enable' if on else 'disable'}")
        assert status == 200
        self.shop.vouchers[code].active = on

    @rule(code=st.one_of(codes, cards), key=KEYS)
    def release(self, code: str, key: str) -> None:
        status, found = self._send("DELETE", f"/v1/vouchers/{code}/sessions/{key}")
        session = self.shop.sessions.get(key)
        if session is not None and session.ends > clock.now_micros() and session.held.pop(code, None):
            assert status == 204, found
        else:
            assert status == 404, found

    @rule(code=consumes(codes))
    def delete(self, code: str) -> None:
        """A code that was deleted is unknown; what it did can still be undone."""
        assert self._send("DELETE", f"/v1/vouchers/{code}")[0] == 204
        del self.shop.vouchers[code]
        for session in self.shop.sessions.values():
            session.held.pop(code, None)

    @precondition(lambda self: self.shop.vouchers)
    @rule(hours=st.integers(1, 24 * 40))
    def wait(self, hours: int) -> None:
        self.service.move_clock(hours * HOUR)

    @invariant()
    def numbers_agree(self) -> None:
        """Of everything that the last step touched."""
        for code in self.touched & self.shop.vouchers.keys():
            self._compare(self.shop.vouchers[code])
        self.touched.clear()

    def _compare(self, voucher: Voucher) -> None:
        found = self._send("GET", f"/v1/vouchers/{voucher.code}")[1]
        assert found["redemption"]["redeemed_quantity"] == voucher.uses
        if voucher.is_gift:
            assert found["gift"]["balance"] == voucher.balance

    def teardown(self) -> None:
        for voucher in self.shop.vouchers.values():
            self._compare(voucher)


def _mixed(asks: list[Ask], random: Any) -> list[Ask]:
    random.shuffle(asks)
    return asks


def test_the_service_does_what_the_model_does(service: Service, request: pytest.FixtureRequest) -> None:
    store = request.node.callspec.params["service"]
    examples, steps = EXAMPLES[store]
    chosen = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(lambda: Life(service), settings=chosen)
    service.verify()
