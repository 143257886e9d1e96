"""Column kinds shared by all tables, and the one MetaData they register in.

Every table has `project_id` first in its primary key, so that all rows of a project can live on one shard.
"""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, MetaData, Text, TypeDecorator, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from largesse.kernel import wire

metadata = MetaData()


class JsonText(TypeDecorator[Any]):
    """A JSON document as text: read and written whole. The same bytes on every store."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else wire.encode_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else wire.decoder(Any).decode(value)


class KeyList(TypeDecorator[list[str]]):
    """A list of keys as one bound value: an array on PostgreSQL, JSON text on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(Text()))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        return value if dialect.name == "postgresql" or value is None else wire.encode_text(value)


class _Condition(FunctionElement[bool]):
    """A condition that stands as it is: SQLite could not use an index behind `(…) = 1`."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> "_Condition":  # noqa: ARG002 - SQLAlchemy's signature
        return self


class one_of(_Condition):  # noqa: N801 - reads as an SQL operator
    """`one_of(column, "keys")`: the column is among the keys bound as a list; one statement text for any number of keys."""

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        super().__init__(column, bindparam(name, type_=KeyList()))


@compiles(one_of, "sqlite")
def _one_of_sqlite(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, keys = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({keys}))"


@compiles(one_of, "postgresql")
def _one_of_postgresql(element: one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, keys = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({keys})"


class each_key(FunctionElement[Any]):  # noqa: N801 - reads as an SQL function
    """`each_key("keys").table_valued("key")`: a row for each of the keys bound as a list."""

    type = Text()
    inherit_cache = True

    def __init__(self, name: str) -> None:
        super().__init__(bindparam(name, type_=KeyList()))


@compiles(each_key, "sqlite")
def _each_key_sqlite(element: each_key, compiler: SQLCompiler, **options: Any) -> str:
    keys = compiler.process(next(iter(element.clauses)), **options)
    return f"(SELECT value AS key FROM json_each({keys}))"


@compiles(each_key, "postgresql")
def _each_key_postgresql(element: each_key, compiler: SQLCompiler, **options: Any) -> str:
    keys = compiler.process(next(iter(element.clauses)), **options)
    return f"(SELECT unnest(CAST({keys} AS text[])) AS key)"


class found_by(_Condition):  # noqa: N801 - reads as an SQL operator
    """`found_by(id_column, {"ids": column, …})`: one of the columns is among the keys bound under its name.

    Each column is looked up by its own index: PostgreSQL joins the indexes by itself, SQLite would read the whole project instead;
    it also would for a single column where rows are wanted in id order. The statement binds the project as `project`.
    """

    inherit_cache = True

    def __init__(self, id_column: ColumnElement[Any], columns: dict[str, ColumnElement[Any]]) -> None:
        pairs = [part for name, column in columns.items() for part in (column, bindparam(name, type_=KeyList()))]
        super().__init__(id_column, id_column.table.c.project_id, bindparam("project"), *pairs)


@compiles(found_by, "sqlite")
def _found_by_sqlite(element: found_by, compiler: SQLCompiler, **options: Any) -> str:
    id_column, project_column, project, *pairs = (compiler.process(clause, **options) for clause in element.clauses)
    table = next(iter(element.clauses)).table.name
    found = " UNION ALL ".join(
        f"SELECT {id_column} FROM {table} WHERE {project_column} = {project}"
        f" AND {column} IN (SELECT value FROM json_each({keys}))"
        for column, keys in zip(pairs[::2], pairs[1::2], strict=True)
    )
    return f"{id_column} IN ({found})"


@compiles(found_by, "postgresql")
def _found_by_postgresql(element: found_by, compiler: SQLCompiler, **options: Any) -> str:
    _, _, _, *pairs = (compiler.process(clause, **options) for clause in element.clauses)
    found = " OR ".join(f"{column} = ANY ({keys})" for column, keys in zip(pairs[::2], pairs[1::2], strict=True))
    return f"({found})"


class json_elements(FunctionElement[Any]):  # noqa: N801 - reads as an SQL function
    """Rows (value as text, number where it is one) of the member of a JSON text column under a key."""

    type = Text()
    inherit_cache = True


@compiles(json_elements, "sqlite")
def _json_elements_sqlite(element: json_elements, compiler: SQLCompiler, **options: Any) -> str:
    column, key = (compiler.process(clause, **options) for clause in element.clauses)
    # Types are looked at first: SQL values of json_each would show booleans as 1 and 0.
    as_list = (
        "CASE j.type WHEN 'array' THEN j.value WHEN 'true' THEN '[true]' WHEN 'false' THEN '[false]' "
        "WHEN 'null' THEN '[]' ELSE json_array(j.value) END"
    )
    value = "CASE e.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(e.value AS TEXT) END"
    number = "CASE WHEN e.type IN ('integer', 'real') THEN e.value END"
    rows = f"json_each({column}) AS j, json_each({as_list}) AS e WHERE j.key = {key}"
    return f"(SELECT {value} AS value, {number} AS number FROM {rows})"


@compiles(json_elements, "postgresql")
def _json_elements_postgresql(element: json_elements, compiler: SQLCompiler, **options: Any) -> str:
    column, key = (compiler.process(clause, **options) for clause in element.clauses)
    member = f"(({column})::jsonb -> {key})"
    as_list = f"CASE jsonb_typeof({member}) WHEN 'array' THEN {member} ELSE jsonb_build_array({member}) END"
    value = "x #>> '{}'"
    number = f"CASE jsonb_typeof(x) WHEN 'number' THEN ({value})::float8 END"
    return f"(SELECT {value} AS value, {number} AS number FROM jsonb_array_elements({as_list}) AS x)"


def project_id() -> Column[str]:
    """First in every primary, unique and foreign key."""
    return Column("project_id", Text, nullable=False)


def micros(name: str, *, nullable: bool = False) -> Column[int]:
    """An instant: microseconds UTC."""
    return Column(name, BigInteger, nullable=nullable)
