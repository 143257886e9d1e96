"""Use cases of metadata schemas, and the one place where rooms have metadata checked.

A project knows which kinds of objects it has schemas for, so that a project without any pays nothing: not a query, on no path.
"""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from largesse.kernel import clock, definitions, ids, wire
from largesse.kernel.access.projects import describe
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import duplicate_found, forbidden, invalid_payload, not_found
from largesse.kernel.project import Project
from largesse.metadata_schemas import definition, store
from largesse.metadata_schemas.checking import Schema
from largesse.metadata_schemas.model import (
    NamedSchemaList,
    SchemaAnswer,
    SchemaCreate,
    SchemaList,
    SchemaUpdate,
    StoredSchema,
)

_TYPE = "metadata schema"


# What other rooms ask


class Schemas:
    """The schemas of a project; `project` as `current_project` answered."""

    def __init__(self, conn: Connection, project: Project) -> None:
        self._conn = conn
        self._project = project

    def check_new(self, kind: str, metadata: dict[str, Any] | None) -> None:
        """Refuses metadata that an object of `kind` cannot be created with (400 `metadata_validation_failed`)."""
        wire.check_metadata(metadata)
        if (schema := self.of(kind)) is not None:
            schema.check_new(metadata or {})

    def check_changed(
        self,
        kind: str,
        sent: dict[str, Any] | None,
        result: dict[str, Any] | None,
        unset: Sequence[str] | None = None,
    ) -> None:
        """Refuses a change of metadata: `result` is what was `sent` laid over the old, less the fields `unset`.

        Only the keys that the change touches are looked at, so that old values never stand in its way (documented).
        """
        wire.check_metadata(sent)
        wire.check_metadata(result)
        if (sent or unset) and (schema := self.of(kind)) is not None:
            touched = {*(sent or ()), *(path.partition(".")[0] for path in unset or ())}
            schema.check_changed(result or {}, touched)

    def types(self, kind: str) -> dict[str, str]:
        """The types of the keys that are defined for a kind of objects; empty where nothing is."""
        schema = self.of(kind)
        return {key: one.type for key, one in schema.properties.items()} if schema is not None else {}

    def of(self, kind: str) -> Schema | None:
        """The schema of a kind of objects; None where nothing is defined."""
        if kind not in self._project.described:
            return None
        return definitions.load(self._conn, self._project, _TYPE, [kind], _compiled).get(kind)


def types_of(conn: Connection, project_id: str, kinds: Collection[str]) -> dict[str, dict[str, str]]:
    """The types of the keys that are defined for some kinds of objects; no query for none.

    What is kept of it is right until a definition of the project changes, which schemas are.
    """
    found = store.by_names(conn, project_id, kinds) if kinds else {}
    return {kind: {key: one.type for key, one in _schema(stored).properties.items()} for kind, stored in found.items()}


def schemas_of(unit: Unit) -> Schemas:
    """The schemas of the unit's project as they are now."""
    return Schemas(unit.conn, definitions.current(unit))


def _compiled(conn: Connection, project_id: str, names: Collection[str]) -> dict[str, Schema]:
    found = store.by_names(conn, project_id, names)
    nested = {name for stored in found.values() for name in definition.nested_in(stored.properties)}
    held = store.by_names(conn, project_id, nested) if nested else {}
    inner = {name: _schema(stored) for name, stored in held.items()}
    return {name: msgspec.structs.replace(_schema(stored), nested=inner) for name, stored in found.items()}


def _schema(stored: StoredSchema) -> Schema:
    counting = {key: one for key, one in stored.properties.items() if not one.deleted}
    return Schema(counting, stored.allow_defined_only)


# The resource


def list_schemas(unit: Unit) -> SchemaList:
    found = [_answer(schema, camel_case=False) for schema in store.oldest_first(unit.conn, unit.project_id)]
    return SchemaList(data=found, total=len(found))


def list_named(unit: Unit) -> NamedSchemaList:
    found = [_answer(schema, camel_case=True) for schema in store.oldest_first(unit.conn, unit.project_id)]
    return NamedSchemaList(schemas=found, total=len(found))


def get(unit: Unit, key: str, *, camel_case: bool) -> SchemaAnswer:
    """By id or by the related object's name. Raises ApiError 404."""
    return _answer(_existing(unit, key), camel_case=camel_case)


def create(unit: Unit, sent: SchemaCreate, *, camel_case: bool) -> SchemaAnswer:
    """Raises ApiError 409 where the related object has a schema, 400 for definitions that cannot be, 403 without the role."""
    _check_role(unit)
    read = definition.laid_over({}, definition.read(sent.properties, sent.related_object))
    definitions.changed(unit)  # first, because it locks the project: schemas are changed one at a time
    if store.by_names(unit.conn, unit.project_id, [sent.related_object]):
        raise duplicate_found(_TYPE, sent.related_object)
    _check_nested(unit, read)
    schema = StoredSchema(
        id=ids.text_id("ms_"),
        related_object=sent.related_object,
        properties=read,
        allow_defined_only=bool(sent.allow_defined_only),
        created_at=unit.now,
    )
    store.add(unit.conn, unit.project_id, schema)
    _describe(unit)
    return _answer(schema, camel_case=camel_case)


def update(unit: Unit, key: str, sent: SchemaUpdate, *, camel_case: bool) -> SchemaAnswer:
    """Adds and replaces definitions; their types stay. Raises ApiError 404, 400, 403 without the role."""
    _check_role(unit)
    definitions.changed(unit)
    schema = _existing(unit, key)
    read = definition.read(sent.properties or {}, schema.related_object)
    _check_nested(unit, read)
    allow = schema.allow_defined_only if sent.allow_defined_only is None else sent.allow_defined_only
    changed = msgspec.structs.replace(
        schema,
        properties=definition.laid_over(schema.properties, read),
        allow_defined_only=allow,
        updated_at=unit.now,
    )
    store.save(unit.conn, unit.project_id, changed)
    return _answer(changed, camel_case=camel_case)


def delete(unit: Unit, key: str) -> None:
    """Values stay as they are (documented). Raises ApiError 404, 403 without the role."""
    _check_role(unit)
    definitions.changed(unit)
    store.remove(unit.conn, unit.project_id, _existing(unit, key).id)
    _describe(unit)


def _describe(unit: Unit) -> None:
    described = [schema.related_object for schema in store.oldest_first(unit.conn, unit.project_id)]
    describe(unit.conn, unit.project_id, described)


def _check_role(unit: Unit) -> None:
    """Definitions are for administrators (documented)."""
    if unit.call.caller.role != "ADMIN":
        raise forbidden("Metadata schemas are defined with a key of the role ADMIN")


def _check_nested(unit: Unit, properties: dict[str, Any]) -> None:
    names = definition.nested_in(properties)
    known = store.by_names(unit.conn, unit.project_id, names) if names else {}
    for key, one in properties.items():
        if one.object_type in names and one.object_type not in known:
            raise invalid_payload(f"Property .properties.{key}.object_type names no metadata schema")


def _existing(unit: Unit, key: str) -> StoredSchema:
    found = store.by_key(unit.conn, unit.project_id, key)
    if found is None:
        raise not_found(_TYPE, key)
    return found


def _answer(schema: StoredSchema, *, camel_case: bool) -> SchemaAnswer:
    return SchemaAnswer(
        id=schema.id,
        related_object=schema.related_object,
        properties=definition.shown(schema.properties, camel_case=camel_case),
        allow_defined_only=schema.allow_defined_only,
        created_at=clock.iso(schema.created_at),
        updated_at=clock.iso_or_none(schema.updated_at),
    )
