"""What a redemption of a plain code asks of the store: the same few statements, whatever else the project holds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

import largesse.app  # noqa: F401 - every table is known once the application is
import largesse.metadata_schemas.service as schemas
import largesse.vouchers.service as vouchers
from largesse.kernel.access.projects import create_project
from largesse.kernel.call import Call, Caller
from largesse.kernel.database import migrations
from largesse.kernel.database.stores import open_writer
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError
from largesse.kernel.project import Project, ProjectSettings
from largesse.kernel.settings import Settings
from largesse.metadata_schemas.model import SchemaCreate
from largesse.redemptions.evaluation import Question
from largesse.redemptions.model import StackableRequest
from largesse.redemptions.redemption import redeem
from largesse.redemptions.validation import validate
from largesse.vouchers.model import VoucherCreate

NOW = 1_790_000_000_000_000
ELSEWHERE = (
    "campaigns",
    "promotion_tiers",
    "promotion_stacks",
    "validation_rules",
    "categories",
    "counters",
    "products",
    "sums",
    "settling",
    "metadata_schemas",
    "custom_event",
    "locations",
    "points_buckets",
    "pending_points",
    "loyalty_tier",
    "reward_assignments",
    "FROM rewards",
    "publications",
    "redeemable_holders",
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/store.db")
    migrations.upgrade(settings)
    engine = open_writer(settings)
    yield engine
    engine.dispose()


def unit(conn: Connection, project: Project) -> Unit:
    caller = Caller(surface="server", key_id="key")
    return Unit(conn, Call(project=project, caller=caller, request_id="v-1", now=NOW))


def made(engine: Engine, **voucher: Any) -> Project:
    """A project with a code named ONE."""
    with engine.begin() as conn:
        project = create_project(conn, ProjectSettings(name="P"), NOW)
        sent = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}, **voucher}
        vouchers.create(unit(conn, project), msgspec.convert(sent, VoucherCreate), "http://shop", code="ONE")
    return project


@pytest.mark.parametrize(("decider", "most"), [(validate, 2), (redeem, 11)])
def test_a_plain_code_asks_for_itself_only(engine: Engine, decider: Any, most: int) -> None:
    project = made(engine)
    body = {"redeemables": [{"object": "voucher", "id": "ONE"}], "order": {"amount": 1000}}
    question = Question(msgspec.convert(body, StackableRequest), Settings())
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    with engine.begin() as conn:
        (answer,) = decider(conn, [(unit(conn, project), question)])
    assert isinstance(answer, bytes)
    statements = [statement for statement in seen if not statement.startswith(("BEGIN", "PRAGMA"))]
    assert len(statements) <= most, statements
    assert not [statement for statement in statements if any(table in statement for table in ELSEWHERE)]


def test_a_schema_is_read_once_for_many_redemptions(engine: Engine) -> None:
    project = made(engine)
    schema = SchemaCreate(related_object="order", properties={"n": {"type": "number"}})
    with engine.begin() as conn:
        schemas.create(unit(conn, project), schema, camel_case=True)
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    refused = []
    for n in (1, "x", 3):
        body = {"redeemables": [{"object": "voucher", "id": "ONE"}], "order": {"amount": 1000, "metadata": {"n": n}}}
        question = Question(msgspec.convert(body, StackableRequest), Settings())
        with engine.begin() as conn:
            (answer,) = redeem(conn, [(unit(conn, project), question)])
        refused.append(isinstance(answer, ApiError))
    assert refused == [False, True, False]
    assert len([statement for statement in seen if "metadata_schemas" in statement]) == 1
