"""Every query on validation rules and their assignments."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression

from largesse.kernel import wire
from largesse.kernel.database.columns import JsonText, found_by, metadata, micros, one_of, project_id
from largesse.kernel.database.rows import insert_rows
from largesse.validation_rules.model import Assignment, StoredRule

rules = Table(
    "validation_rules",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("rules", JsonText, nullable=False),
    Column("bundle_rules", JsonText, nullable=False),
    Column("error", JsonText),
    Column("applicable_to", JsonText, nullable=False),
    Column("type", Text, nullable=False),
    Column("context_type", Text, nullable=False),
    micros("created_at"),
    micros("updated_at", nullable=True),
    Column("counts_since", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "name"),
    Index("validation_rules_by_creation", "project_id", "created_at", "id"),
)
# The foreign key holds what no check before the deletion can: a rule assigned at the same moment stays.
assignments = Table(
    "validation_rules_assignments",
    metadata,
    project_id(),
    Column("id", Text, nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("related_object_type", Text, nullable=False),
    Column("related_object_id", Text, nullable=False),
    micros("created_at"),
    PrimaryKeyConstraint("project_id", "id"),
    UniqueConstraint("project_id", "related_object_id", "related_object_type", "rule_id"),
    ForeignKeyConstraint(["project_id", "rule_id"], ["validation_rules.project_id", "validation_rules.id"]),
    Index("validation_rules_assignments_of_rule", "project_id", "rule_id", "created_at", "id"),
    Index("validation_rules_assignments_by_creation", "project_id", "created_at", "id"),
)

_DOCUMENTS = tuple(column.name for column in rules.c if isinstance(column.type, JsonText))
_RULES = select(*(rules.c[name] for name in StoredRule.__struct_fields__))
_BY_IDS = _RULES.where(rules.c.project_id == bindparam("project"), one_of(rules.c.id, "ids"))
_WRITTEN = select(
    *(type_coerce(column, Text) if isinstance(column.type, JsonText) else column for column in _RULES.selected_columns)
).where(rules.c.project_id == bindparam("project"), one_of(rules.c.id, "ids"))
_BY_NAME = _RULES.where(rules.c.project_id == bindparam("project"), rules.c.name == bindparam("name"))
_ASSIGNMENTS = select(*(assignments.c[name] for name in Assignment.__struct_fields__))
_OF_OBJECTS = _ASSIGNMENTS.where(
    assignments.c.project_id == bindparam("project"),
    assignments.c.related_object_type == bindparam("type"),
    one_of(assignments.c.related_object_id, "ids"),
)
_OBJECTS_OF = select(assignments.c.related_object_id, assignments.c.related_object_type).where(
    assignments.c.project_id == bindparam("project"), found_by(assignments.c.id, {"rules": assignments.c.rule_id})
)
_COUNTS = (
    select(assignments.c.rule_id, func.count())
    .where(assignments.c.project_id == bindparam("project"), one_of(assignments.c.rule_id, "ids"))
    .group_by(assignments.c.rule_id)
)
_FIRST_OF_RULE = (
    select(assignments.c.id)
    .where(assignments.c.project_id == bindparam("project"), assignments.c.rule_id == bindparam("rule"))
    .order_by(assignments.c.created_at, assignments.c.id)
    .limit(100)
)


# Rules


def by_ids(conn: Connection, project_id: str, ids: Collection[str]) -> dict[str, StoredRule]:
    rows = conn.execute(_BY_IDS, {"project": project_id, "ids": list(ids)})
    return {row.id: StoredRule(**row._mapping) for row in rows}


def written(conn: Connection, project_id: str, ids: Collection[str]) -> list[tuple[Any, ...]]:
    """Rules as their rows stand, documents as text; `read` makes rules of them."""
    return [tuple(row) for row in conn.execute(_WRITTEN, {"project": project_id, "ids": list(ids)})]


def read(row: tuple[Any, ...]) -> StoredRule:
    values = dict(zip(StoredRule.__struct_fields__, row, strict=True))
    for name in _DOCUMENTS:
        if values[name] is not None:
            values[name] = wire.decode_stored(values[name], Any)
    return StoredRule(**values)


def ids(conn: Connection, project_id: str) -> list[str]:
    """Of all rules."""
    return list(conn.execute(select(rules.c.id).where(rules.c.project_id == project_id)).scalars())


def by_name(conn: Connection, project_id: str, name: str) -> StoredRule | None:
    row = conn.execute(_BY_NAME, {"project": project_id, "name": name}).first()
    return StoredRule(**row._mapping) if row else None


def add(conn: Connection, project_id: str, rule: StoredRule) -> None:
    conn.execute(insert(rules).values(project_id=project_id, **msgspec.structs.asdict(rule)))


def save(conn: Connection, project_id: str, rule: StoredRule) -> None:
    values = msgspec.structs.asdict(rule)
    key = values.pop("id")
    conn.execute(update(rules).where(rules.c.project_id == project_id, rules.c.id == key).values(**values))


def remove(conn: Connection, project_id: str, rule_id: str) -> None:
    """Raises IntegrityError while the rule is assigned."""
    conn.execute(delete(rules).where(rules.c.project_id == project_id, rules.c.id == rule_id))


def page(
    conn: Connection,
    project_id: str,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[UnaryExpression[Any]],
    *,
    limit: int,
    offset: int,
) -> tuple[list[StoredRule], int]:
    where = (rules.c.project_id == project_id, *conditions)
    total = conn.execute(select(func.count()).select_from(rules).where(*where)).scalar_one()
    rows = conn.execute(_RULES.where(*where).order_by(*order).limit(limit).offset(offset))
    return [StoredRule(**row._mapping) for row in rows], total


def all_rules(conn: Connection, project_id: str) -> list[StoredRule]:
    """Every rule, for verification."""
    rows = conn.execute(_RULES.where(rules.c.project_id == project_id))
    return [StoredRule(**row._mapping) for row in rows]


def naming(conn: Connection, project_id: str, item_id: str) -> list[str]:
    """Ids of the rules in whose conditions, `applicable_to` or `bundle_rules` an id stands, oldest first."""
    quoted = wire.encode_text(item_id)
    texts = [type_coerce(column, Text) for column in (rules.c.rules, rules.c.applicable_to, rules.c.bundle_rules)]
    statement = (
        select(rules.c.id, *texts)
        .where(rules.c.project_id == project_id, or_(*(text.contains(quoted, autoescape=True) for text in texts)))
        .order_by(rules.c.created_at, rules.c.id)
    )
    # LIKE ignores case on SQLite, ids do not.
    return [id for id, *found in conn.execute(statement) if any(quoted in text for text in found)]


# Assignments


def of_objects(conn: Connection, project_id: str, object_type: str, ids: Collection[str]) -> list[Assignment]:
    """The assignments of several objects of one type, in order of assignment."""
    rows = conn.execute(_OF_OBJECTS, {"project": project_id, "type": object_type, "ids": list(ids)})
    found = [Assignment(**row._mapping) for row in rows]
    # Sorted here: SQLite would read the whole project to have them in order.
    return sorted(found, key=lambda one: (one.created_at, one.id))


def objects_of(conn: Connection, project_id: str, object_type: str, rule_ids: Collection[str]) -> set[str]:
    """Ids of the objects of a type that have any of these rules."""
    rows = conn.execute(_OBJECTS_OF, {"project": project_id, "rules": list(rule_ids)})
    return {object_id for object_id, kind in rows if kind == object_type}


def counts(conn: Connection, project_id: str, rule_ids: Collection[str]) -> dict[str, int]:
    """How many objects each rule is assigned to; rules without any are absent."""
    rows = conn.execute(_COUNTS, {"project": project_id, "ids": list(rule_ids)})
    return {rule_id: count for rule_id, count in rows}  # noqa: C416 - rows are not pairs to the type checker


def first_of_rule(conn: Connection, project_id: str, rule_id: str) -> list[str]:
    """Ids of the first 100 assignments of a rule."""
    return list(conn.execute(_FIRST_OF_RULE, {"project": project_id, "rule": rule_id}).scalars())


def of_rule(conn: Connection, project_id: str, rule_id: str) -> list[Assignment]:
    """Every assignment of a rule, for verification."""
    mine = (assignments.c.project_id == project_id, assignments.c.rule_id == rule_id)
    return [Assignment(**row._mapping) for row in conn.execute(_ASSIGNMENTS.where(*mine))]


def assignment(conn: Connection, project_id: str, rule_id: str, assignment_id: str) -> Assignment | None:
    statement = _ASSIGNMENTS.where(
        assignments.c.project_id == project_id, assignments.c.id == assignment_id, assignments.c.rule_id == rule_id
    )
    row = conn.execute(statement).first()
    return Assignment(**row._mapping) if row else None


def add_assignments(conn: Connection, project_id: str, new: Sequence[Assignment]) -> None:
    """Raises IntegrityError for a rule that is gone or already assigned to the object."""
    rows = [msgspec.structs.astuple(one) for one in new]
    insert_rows(conn, assignments, Assignment.__struct_fields__, project_id, rows)


def remove_assignment(conn: Connection, project_id: str, assignment_id: str) -> None:
    conn.execute(delete(assignments).where(assignments.c.project_id == project_id, assignments.c.id == assignment_id))


def remove_of_objects(conn: Connection, project_id: str, object_type: str, ids: Collection[str]) -> int:
    """Deletes the assignments of several objects; answers how many there were."""
    mine = (
        assignments.c.project_id == project_id,
        assignments.c.related_object_type == object_type,
        one_of(assignments.c.related_object_id, "ids"),
    )
    return conn.execute(delete(assignments).where(*mine), {"ids": list(ids)}).rowcount


def assignment_page(
    conn: Connection,
    project_id: str,
    conditions: Sequence[ColumnElement[bool]],
    order: Sequence[UnaryExpression[Any]],
    *,
    limit: int,
    offset: int,
) -> tuple[list[Assignment], int]:
    where = (assignments.c.project_id == project_id, *conditions)
    total = conn.execute(select(func.count()).select_from(assignments).where(*where)).scalar_one()
    rows = conn.execute(_ASSIGNMENTS.where(*where).order_by(*order).limit(limit).offset(offset))
    return [Assignment(**row._mapping) for row in rows], total
