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


class one_of(FunctionElement[bool]):  # noqa: N801 - reads as an SQL operator
    """`one_of(column, "keys")`: the column is among the keys bound as a list; one statement text for any number of keys."""

    type = Boolean()
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


def project_id() -> Column[str]:
    """First in every primary, unique and foreign key."""
    return Column("project_id", Text, nullable=False)


def micros(name: str, *, nullable: bool = False) -> Column[int]:
    """An instant: microseconds UTC."""
    return Column(name, BigInteger, nullable=nullable)
