"""Nothing is kept in step before everybody knows of the rule that asks for it."""

from typing import Any

import msgspec
import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Engine

import largesse.validation_rules.service as validation_rules
import largesse.vouchers.service as vouchers
from largesse.app import _note_rules
from largesse.kernel import clock, settling
from largesse.kernel.access.projects import create_project, current_project
from largesse.kernel.call import Call, Caller
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project, ProjectSettings
from largesse.kernel.settings import Settings
from largesse.redemptions.evaluation import Question
from largesse.redemptions.model import StackableRequest
from largesse.redemptions.redemption import redeem
from largesse.redemptions.service import ENDED_SUMS
from largesse.redemptions.validation import validate
from largesse.validation_rules.model import AssignmentInput, RuleInput
from largesse.vouchers.model import VoucherCreate

NOW = 1_790_000_000_000_000


@pytest.fixture
def project(engine: Engine) -> Project:
    with engine.begin() as conn:
        return create_project(conn, ProjectSettings(name="P"), NOW)


def unit(conn: Connection, project: Project, now: int = NOW) -> Unit:
    return Unit(conn, Call(project=project, caller=Caller(surface="server", key_id="key"), request_id="v-1", now=now))


def test_a_change_is_settled_once_nobody_is_left_who_began_before(engine: Engine, project: Project) -> None:
    if engine.dialect.name == "sqlite":  # where one transaction writes at a time, there is nobody else
        with engine.begin() as conn:
            settling.begin(conn, project.id)
            assert settling.is_over(conn, project.id)
        return

    def is_over() -> bool:
        with engine.begin() as conn:
            current_project(conn, project)
            return settling.is_over(conn, project.id)

    with engine.connect() as rival, rival.begin():
        current_project(rival, project)
        with engine.begin() as conn:
            settling.begin(conn, project.id)
        assert [is_over(), is_over(), is_over()] == [False] * 3
        with engine.connect() as later, later.begin():
            current_project(later, project)
            rival.rollback()
            assert is_over()  # whoever began after the change knows of it
    assert is_over()


def test_a_change_waits_for_the_transaction_that_asks_too(engine: Engine, project: Project) -> None:
    """It may itself have read the version before the change."""
    if engine.dialect.name == "sqlite":
        return
    with engine.begin() as rival:
        current_project(rival, project)
        with engine.begin() as conn:
            settling.begin(conn, project.id)
        assert not settling.is_over(rival, project.id)
        assert not settling.is_over(rival, project.id)
    with engine.begin() as conn:
        assert settling.is_over(conn, project.id)


def counted_code(conn: Connection, project: Project, counted: str = "redemption.count.monthly") -> None:
    """A code named ONE with a rule that counts."""
    mine = unit(conn, project)
    sent = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}
    vouchers.create(mine, msgspec.convert(sent, VoucherCreate), "http://shop", code="ONE")
    leaves = {"1": {"name": counted, "conditions": {"$less_than": [100]}}}
    rule = validation_rules.create(mine, RuleInput(name="Limit", rules=leaves))
    found = AssignmentInput(related_object_id="ONE")
    validation_rules.create_assignment(
        mine, rule.id, found, lambda unit, _kind, key: vouchers.id_of(unit, key), _note_rules, force=False
    )


def test_history_is_read_once(engine: Engine, project: Project) -> None:
    with engine.begin() as conn:
        counted_code(conn, project)
    body = {"redeemables": [{"object": "voucher", "id": "ONE"}], "order": {"amount": 1000}}
    question = Question(msgspec.convert(body, StackableRequest), Settings())
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))

    def reads(decider: Any) -> int:
        seen.clear()
        with engine.begin() as conn:
            [answer] = decider(conn, [(unit(conn, project), question)])
        assert isinstance(answer, bytes)
        return sum("FROM redemptions" in one for one in seen)

    assert [reads(one) for one in (validate, redeem, redeem, validate, redeem)] == [1, 1, 0, 0, 0]
    with engine.begin() as conn:
        assert conn.execute(text("SELECT value, most FROM sums WHERE project_id = :id"), {"id": project.id}).all() == [
            (3, 99)
        ]


def test_sums_of_periods_that_are_over_are_let_go(engine: Engine, project: Project) -> None:
    with engine.begin() as conn:
        counted_code(conn, project)
    body = {"redeemables": [{"object": "voucher", "id": "ONE"}], "order": {"amount": 1000}}
    question = Question(msgspec.convert(body, StackableRequest), Settings())
    later = NOW + 40 * clock.DAY
    for now in (NOW, later):
        with engine.begin() as conn:
            redeem(conn, [(unit(conn, project, now), question)])

    def drop(now: int) -> int:
        with engine.begin() as conn:
            due = project.id in ENDED_SUMS.due(conn, now)
            dropped = ENDED_SUMS.step(unit(conn, project, now), 10)
            assert due == (dropped > 0)
        return dropped

    assert [drop(now) for now in (NOW, later, later)] == [0, 1, 0]
    with engine.begin() as conn:
        kept = conn.execute(text("SELECT value FROM sums WHERE project_id = :id"), {"id": project.id}).scalars().all()
    assert kept == [1]


def test_new_customers_have_one_sum_each(engine: Engine, project: Project) -> None:
    with engine.begin() as conn:
        counted_code(conn, project, "redemption.count.per_customer")
    for source_id in ("ann", "ben", "ann"):
        body = {"redeemables": [{"object": "voucher", "id": "ONE"}], "customer": {"source_id": source_id}}
        question = Question(msgspec.convert(body, StackableRequest), Settings())
        with engine.begin() as conn:
            redeem(conn, [(unit(conn, project), question)])
    with engine.begin() as conn:
        kept = conn.execute(text("SELECT value FROM sums WHERE project_id = :id"), {"id": project.id}).scalars().all()
    assert sorted(kept) == [1, 2]
