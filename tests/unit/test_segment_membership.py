"""Membership as it is kept, step by step, against the filter asked of everybody anew."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection, Engine

import largesse.customers.service as customers
import largesse.orders.service as orders
from largesse.customers.activity import delete
from largesse.customers.model import CustomerInput, CustomerUpdate
from largesse.engine.segments.calendar import today
from largesse.kernel import clock
from largesse.kernel.access.projects import create_project
from largesse.kernel.call import Call, Caller
from largesse.kernel.database.reactions import react
from largesse.kernel.database.unit import Unit
from largesse.kernel.events import write_events
from largesse.kernel.jobs.model import Done, Job, Kind, Progress
from largesse.kernel.project import Project, ProjectSettings
from largesse.orders.model import OrderCreate, OrderUpdate
from largesse.segments import jobs, membership, service, store
from largesse.segments.clock import make_chore
from largesse.segments.model import Membership, SegmentCreate
from largesse.segments.profiles import moment, profiles
from largesse.segments.reaction import make_reaction


def nothing_held(_unit: Unit, _customer_ids: Any) -> dict[str, Any]:
    return {}


ON_NEWS, KINDS, FOLLOWING = make_reaction(nothing_held), jobs.kinds(nothing_held), make_chore(nothing_held)
START = 1_790_000_000_000_000  # 21 September 2026
_keys = itertools.count()


class House:
    """A project of its own in a store, changed one transaction at a time."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.now = START
        self.events: list[tuple[str, str | None, Any]] = []
        self.customers: list[str] = []
        self.orders: list[str] = []
        with engine.begin() as conn:
            self.project = create_project(conn, ProjectSettings(name="Test", timezone="Europe/Warsaw"), START)

    def unit(self, conn: Connection) -> Unit:
        caller = Caller(surface="server", key_id="key")
        return Unit(conn, Call(project=self.project, caller=caller, request_id="v-1", now=self.now))

    def do(self, work: Callable[[Unit], Any]) -> Any:
        with self.engine.begin() as conn:
            unit = self.unit(conn)
            answer = work(unit)
            react([ON_NEWS], [unit])
            self.events += [(event.type, event.customer_id, event.about) for event in unit.events]
        return answer

    def run(self, kind: Kind, **arguments: Any) -> None:
        """A background job, two items a slice."""
        state: dict[str, Any] = {}
        for _ in range(1000):
            job = Job(id="aa_1", kind="", arguments=arguments, state=state, done=0, total=0, batch=2)
            outcome: Progress | Done = self.do(lambda unit, job=job: kind.step(unit, job))
            if isinstance(outcome, Done):
                return
            state = outcome.state
        raise AssertionError("a job without end")

    def segment(self, filter: dict[str, Any]) -> str:
        sent = SegmentCreate(name="S", type="auto-update", filter=filter)
        id = str(self.do(lambda unit: service.create(unit, sent)).id)
        self.run(KINDS[jobs.FILL], segment_id=id, since=["evcus_", "evred_"], tell=False)
        return id

    def noted(self) -> set[tuple[str, str]]:
        with self.engine.connect() as conn:
            rows = store.of_customers(conn, self.project.id, self.customers)
        return {(one.customer_id, one.segment_id) for one in rows if one.inside}

    def judged(self, at: int) -> set[tuple[str, str]]:
        """Every filter asked of every customer."""
        with self.engine.connect() as conn:
            unit = self.unit(conn)
            watched = membership.watched(conn, fresh(unit))
            found = customers.by_ids(conn, self.project, self.customers)
            seen = profiles(unit, [one for _, one in watched], list(found.values()), nothing_held)
        when = moment(self.project, at)
        return {
            (id, segment.id) for id, profile in seen.items() for segment, one in watched if one.holds(profile, when)
        }

    def shown(self) -> set[tuple[str, str]]:
        """What the API says of every customer's segments, whether or not the background has followed."""
        with self.engine.connect() as conn:
            unit = self.unit(conn)
            return {(id, one.id) for id in self.customers for one in service.of_customer(unit, id, nothing_held).data}


def fresh(unit: Unit) -> Project:
    """The project without a version, so that nothing is kept."""
    return msgspec.structs.replace(unit.project, version=0)


FILTERS: Sequence[dict[str, Any]] = (
    {"junction": "and", "metadata.level": {"conditions": {"$in": ["Gold", "Silver"]}}},
    {"junction": "or", "name": {"conditions": {"$is": "Ann"}}, "address.city": {"conditions": {"$is": "Łódź"}}},
    {"junction": "and", "summary.orders.total_amount": {"conditions": {"$more_than": [150]}}},
    {"junction": "and", "summary.orders.last_order_date": {"conditions": {"$less_than_ago": [3]}}},
    {"junction": "and", "birthdate": {"conditions": {"$this_week": True}}},
    {"junction": "and", "updated_at": {"conditions": {"$is_unknown": ""}}},
    {
        "junction": "and",
        "created_at": {"conditions": {"$more_than_ago": 1}},
        "else": {
            "junction": "or",
            "metadata.level": {"conditions": {"$is_unknown": ""}},
            "name": {"conditions": {"$has_value": ""}},
        },
    },
)
_NAMES = st.sampled_from([None, "Ann", "Ben"])
_LEVELS = st.sampled_from([{}, {"level": "Gold"}, {"level": "Bronze"}, {"other": 1}])
_DAYS = st.sampled_from([None, "1990-09-22", "1990-09-27"])
_WHO = st.integers(0, 3)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), _NAMES, _LEVELS, _DAYS),
        st.tuples(st.just("change"), _WHO, _NAMES, _LEVELS, _DAYS, st.sampled_from([None, "Łódź", "Kraków"])),
        st.tuples(st.just("order"), _WHO, st.sampled_from(["CREATED", "PAID"]), st.sampled_from([100, 200])),
        st.tuples(st.just("status"), _WHO, st.sampled_from(["PAID", "CANCELED", "FULFILLED"])),
        st.tuples(st.just("move"), _WHO, _WHO),
        st.tuples(st.just("segment"), st.sampled_from(range(len(FILTERS)))),
        st.tuples(st.just("sleep"), st.integers(1, 40)),
        st.tuples(
            st.just("follow"),
        ),
        st.tuples(st.just("delete"), _WHO),
    ),
    min_size=3,
    max_size=14,
)


def take(house: House, step: Any) -> None:
    """One step of a story; one about somebody or something that is not there is none."""
    match step:
        case ("create", name, metadata, birthdate):
            sent = CustomerInput(source_id=f"c{next(_keys)}", name=name, metadata=metadata, birthdate=birthdate)
            house.customers.append(house.do(lambda unit: customers.upsert(unit, sent)).id)
        case ("change", who, name, metadata, birthdate, city) if who < len(house.customers):
            update = CustomerUpdate(name=name, metadata=metadata, birthdate=birthdate, address={"city": city})
            house.do(lambda unit: customers.update(unit, house.customers[who], update, nothing_held))
        case ("order", who, status, amount) if who < len(house.customers):
            made = OrderCreate(customer=CustomerInput(id=house.customers[who]), status=status, amount=amount)
            house.orders.append(house.do(lambda unit: orders.create(unit, made)).id)
        case ("status", which, status) if which < len(house.orders):
            house.do(lambda unit: orders.update(unit, house.orders[which], OrderUpdate(status=status)))
        case ("move", which, who) if which < len(house.orders) and who < len(house.customers):
            other = OrderUpdate(customer=CustomerInput(id=house.customers[who]))
            house.do(lambda unit: orders.update(unit, house.orders[which], other))
        case ("segment", which):
            house.segment(FILTERS[which])
        case ("sleep", hours):
            house.now += hours * clock.HOUR
        case ("follow",):
            follow(house)
        case ("delete", who) if who < len(house.customers):
            gone = house.customers.pop(who)
            house.do(lambda unit: delete(unit, gone, remove_orders, service.forget_customer))


def remove_orders(unit: Unit, customer_id: str) -> int:
    return orders.remove_of_customer(unit, customer_id)


def follow(house: House) -> None:
    """What the background does once its time has come, two memberships a slice."""
    while house.do(lambda unit: FOLLOWING.step(unit, 2)):
        pass


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=_STEPS)
def test_what_is_kept_is_what_the_filters_say(engine: Engine, steps: list[Any]) -> None:
    house = House(engine)
    for step in steps:
        try:
            take(house, step)
        except Exception as error:
            if "Cannot find order" not in str(error):  # gone with its customer
                raise
        truth = house.judged(house.now)
        assert house.shown() == truth, step
        if not any(one[0] == "sleep" for one in steps):
            assert house.noted() == truth, step
    follow(house)
    truth = house.judged(house.now)
    assert house.noted() == truth
    inside: dict[tuple[str, Any], bool] = {}
    for type, customer_id, about in house.events:
        if type in ("customer.segment.entered", "customer.segment.left"):
            entered = type.endswith("entered")
            key = (str(customer_id), about)
            assert inside.get(key, not entered) is not entered, "told twice"
            inside[key] = entered
    for key, entered in inside.items():
        assert (key in truth) is entered or key[0] not in house.customers


def test_an_order_that_moves_takes_its_amount_along(engine: Engine) -> None:
    house = House(engine)
    made = house.segment(FILTERS[2])
    for step in [
        ("create", "Ann", {}, None),
        ("create", "Ben", {}, None),
        ("order", 0, "PAID", 200),
    ]:
        take(house, step)
    assert house.noted() == {(house.customers[0], made)}
    take(house, ("move", 0, 1))
    assert house.noted() == {(house.customers[1], made)}


def test_a_change_asks_only_the_filters_that_look_at_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(engine)
    ids = [house.segment(one) for one in FILTERS[:5]]
    house.customers.append(house.do(lambda unit: customers.upsert(unit, CustomerInput(source_id="ann"))).id)
    asked: list[str] = []
    judge = membership.judge

    def noting(customer_id: str, segment: Any, *others: Any) -> Any:
        asked.append(segment.id)
        return judge(customer_id, segment, *others)

    monkeypatch.setattr(membership, "judge", noting)
    for sent, concerned in (
        (CustomerUpdate(metadata={"level": "Gold"}), ids[:1]),
        (CustomerUpdate(metadata={"level": "Gold", "shoe": 4}), []),
        (CustomerUpdate(address={"city": "Łódź"}), ids[1:2]),
        (CustomerUpdate(address={"city": "Łódź", "country": "PL"}), []),
        (CustomerUpdate(email="ann@lee.com"), []),
    ):
        asked.clear()
        house.do(lambda unit, sent=sent: customers.update(unit, house.customers[0], sent, nothing_held))
        assert asked == concerned
    asked.clear()
    order = OrderCreate(customer=CustomerInput(id=house.customers[0]), status="PAID", amount=10)
    house.do(lambda unit: orders.create(unit, order))
    assert asked == ids[2:4]


def test_a_project_without_segments_pays_one_look_for_each_change_of_definitions(engine: Engine) -> None:
    house = House(engine)
    with engine.connect() as conn:
        unit = house.unit(conn)
        unit.is_current = True
        membership.watched(conn, unit.project)
        unit.record("redemption.succeeded", "r_1", customer_id="cust_1")
        seen: list[str] = []
        unit.conn = Watching(conn, seen)  # type: ignore[assignment]
        react([ON_NEWS], [unit])
        assert seen == []


class Watching:
    """A connection that may not be used."""

    def __init__(self, conn: Connection, seen: list[str]) -> None:
        self.dialect = conn.dialect
        self._seen = seen

    def execute(self, statement: Any, *_others: Any) -> Any:
        self._seen.append(str(statement))
        raise AssertionError(statement)

    exec_driver_sql = execute


def test_who_changes_in_a_transaction_older_than_the_segment_is_not_missed(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("the embedded store has one writer")
    house = House(engine)
    with engine.begin() as older:
        unit = house.unit(older)
        ann = customers.upsert(unit, CustomerInput(source_id="ann", metadata={"level": "Gold"}))
        react([ON_NEWS], [unit])
        made = house.segment(FILTERS[0])
        write_events(older, house.project.id, unit.events)
    house.customers.append(ann.id)
    assert house.noted() == set()
    house.run(KINDS[jobs.CATCH_UP], segment_id=made, since=["evcus_", "evred_"])
    assert house.noted() == {(ann.id, made)}


def test_what_is_noted_of_a_deleted_segment_is_no_work_for_the_clock(engine: Engine) -> None:
    house = House(engine)
    made = house.segment({"junction": "and", "birthdate": {"conditions": {"$today_md": True}}})
    take(house, ("create", "Ann", {}, "1990-09-25"))
    house.do(lambda unit: service.delete(unit, made, lambda *_: None))
    house.now += 10 * clock.DAY
    follow(house)
    with engine.connect() as conn:
        assert store.of_customers(conn, house.project.id, house.customers) == []


def test_verification_finds_who_is_noted_wrongly(engine: Engine) -> None:
    house = House(engine)
    made = house.segment(FILTERS[0])
    for level in ("Gold", "Bronze", "Gold"):
        take(house, ("create", "Ann", {"level": level}, None))

    def wrong() -> list[tuple[str, int]]:
        return list(house.do(lambda unit: list(membership.misjudged(unit, nothing_held))))

    assert wrong() == []
    house.do(lambda unit: store.remove_of_customer(unit.conn, unit.project_id, house.customers[0]))
    outside = Membership(house.customers[1], made, True, None)
    house.do(lambda unit: store.write(unit.conn, unit.project_id, [outside], (), ()))
    assert wrong() == [(made, 2)]


def test_a_deleted_segment_leaves_nothing_behind(engine: Engine) -> None:
    house = House(engine)
    for step in [("create", "Ann", {"level": "Gold"}, None)] * 5:
        take(house, step)
    made = house.segment(FILTERS[0])
    assert len(house.noted()) == 5
    house.do(lambda unit: service.delete(unit, made, lambda *_: None))
    house.run(KINDS[jobs.DELETE], segment_id=made)
    house.run(KINDS[jobs.FILL], segment_id=made, since=[], tell=False)
    house.run(KINDS[jobs.CATCH_UP], segment_id=made, since=[])
    with engine.connect() as conn:
        assert store.of_customers(conn, house.project.id, house.customers) == []


def test_days_begin_at_midnight_in_the_projects_zone(engine: Engine) -> None:
    house = House(engine)
    made = house.segment({"junction": "and", "birthdate": {"conditions": {"$today_md": True}}})
    when = moment(house.project, house.now)
    tomorrow = clock.iso(house.project.midnight(house.project.day(house.now)) + 36 * clock.HOUR)[:10]
    take(house, ("create", "Ann", {}, f"1990-{tomorrow[5:]}"))
    with engine.connect() as conn:
        (known,) = store.of_customers(conn, house.project.id, house.customers)
    assert (known.inside, known.turns_on) == (False, today(when).toordinal() + 1)
    house.now = house.project.midnight(house.project.day(house.now + clock.DAY)) - 1
    assert house.shown() == set()
    house.now += 1
    assert house.shown() == {(house.customers[0], made)}
    assert house.noted() == set()
    with engine.connect() as conn:
        assert house.project.id in FOLLOWING.due(conn, house.now)
    follow(house)
    assert house.noted() == {(house.customers[0], made)}
    with engine.connect() as conn:
        assert house.project.id not in FOLLOWING.due(conn, house.now)
