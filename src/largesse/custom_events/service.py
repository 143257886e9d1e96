"""Use cases of custom events: defining them, taking them in, and counting them for other rooms."""

from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy.engine import Connection

import largesse.customers.service as customers
from largesse.custom_events import store
from largesse.custom_events.model import (
    MOST_PROPERTIES,
    CustomEvent,
    DefinitionAnswer,
    DefinitionCreate,
    DefinitionList,
    DefinitionUpdate,
    EventAnswer,
    EventInput,
    Occurrences,
    Properties,
    Property,
    StoredDefinition,
)
from largesse.customers.model import CustomerInput, StoredCustomer
from largesse.kernel import clock, definitions, ids, wire
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, duplicate_name, forbidden, invalid, invalid_payload, not_found
from largesse.kernel.project import Project
from largesse.metadata_schemas.checking import Schema
from largesse.metadata_schemas.model import Definition

_TYPE = "custom_event_schema"
_INTERNAL = "customer."  # how the system's own events of a customer begin
_ENDLESS = 2**62


class _Known(msgspec.Struct, frozen=True):
    """A definition ready for use."""

    id: str
    schema: Schema


# What other rooms ask


def by_id(unit: Unit, schema_id: str) -> StoredDefinition:
    """The definition that an earning rule names. Raises ApiError 404."""
    return _existing(unit, schema_id)


def occurrences(
    conn: Connection,
    project_id: str,
    customer_ids: Collection[str],
    names: Collection[str],
    since: int = 0,
    until: int = _ENDLESS,
) -> dict[tuple[str, str], Occurrences]:
    """By customer id and event name, what happened from `since` to before `until` (microseconds UTC); one query.

    A customer without such an event is absent.
    """
    if not customer_ids or not names:
        return {}
    return store.occurrences(conn, project_id, customer_ids, names, since, until)


def remove_of_customer(unit: Unit, customer_id: str) -> int:
    """Deletes a customer's custom events; answers how many there were."""
    return store.remove_of_customer(unit.conn, unit.project_id, customer_id)


def _known(conn: Connection, project: Project, name: str) -> _Known | None:
    return definitions.load(conn, project, "custom event", [name], _compiled).get(name)


def _compiled(conn: Connection, project_id: str, names: Collection[str]) -> dict[str, _Known]:
    return {
        name: _Known(
            found.id,
            Schema({key: _checked(one) for key, one in found.properties.items() if not one.deleted}),
        )
        for name, found in store.by_names(conn, project_id, names).items()
    }


def _checked(one: Property) -> Definition:
    return Definition(type=one.type, optional=one.optional)


# Events


def track(unit: Unit, sent: EventInput) -> EventAnswer:
    """Stores an event and tells whoever reacts to it, in the same transaction.

    Raises ApiError 400 `missing_customer`, `metadata_validation_failed`, 404 for an undefined name or an unknown customer id.
    """
    if sent.customer is None:
        raise invalid("missing_customer", "Missing customer", "An event needs the customer it happened to.")
    wire.check_metadata(sent.metadata)
    known = _known(unit.conn, definitions.current(unit), sent.event)
    if known is None:
        raise not_found("custom event", sent.event)
    known.schema.check_new(sent.metadata or {})
    customer = _customer(unit, sent.customer)
    event = CustomEvent(
        id=ids.hex_id("evt_"),
        name=sent.event,
        schema_id=known.id,
        customer_id=customer.id,
        metadata=sent.metadata or {},
        loyalty_code=sent.loyalty.code if sent.loyalty else None,
        referral=sent.referral,
        created_at=unit.now,
        feeds_programs=not unit.call.is_client or unit.project.settings.client_loyalty_events_enabled,
    )
    store.insert_events(unit.conn, unit.project_id, [event])
    shown = customers.simple(customer)
    unit.record(
        "customer.custom_event",
        customer.id,
        {
            "event": _payload(event, shown),
            "event_schema": {"id": known.id, "name": event.name},
            "customer": shown,
            "referral": None,
            "loyalty": None,
        },
        customer_id=customer.id,
        about=event,
    )
    metadata = sent.metadata if sent.metadata is not None else UNSET
    return EventAnswer(type=event.name, customer=shown, metadata=metadata)


def _customer(unit: Unit, sent: CustomerInput) -> StoredCustomer:
    """Created or updated as the request describes them; from the client side only where the project allows it, else found."""
    if not unit.call.is_client or unit.project.settings.client_create_customer_enabled:
        return customers.upsert(unit, sent)
    found = customers.find(unit.conn, unit.project, [sent], [None], lock=True)[0]
    if isinstance(found, ApiError):
        raise found
    if found is None:
        raise not_found("customer", sent.source_id or sent.email or "")
    return found


def _payload(event: CustomEvent, customer: Any) -> dict[str, Any]:
    """The event as activity and webhooks show it."""
    return {
        "id": event.id,
        "object": "event",
        "type": event.name,
        "customer": customer,
        "referral": event.referral,
        "loyalty": {"code": event.loyalty_code} if event.loyalty_code else None,
        "metadata": event.metadata,
        "created_at": clock.iso(event.created_at),
    }


# Definitions


def list_definitions(unit: Unit) -> DefinitionList:
    found = [_answer(one) for one in store.oldest_first(unit.conn, unit.project_id)]
    return DefinitionList(data=found, total=len(found))


def get(unit: Unit, schema_id: str) -> DefinitionAnswer:
    """Raises ApiError 404."""
    return _answer(_existing(unit, schema_id))


def create(unit: Unit, sent: DefinitionCreate) -> DefinitionAnswer:
    """Raises ApiError 409 for a name that is taken, 400 for one that is the system's, 403 without the role."""
    _check_role(unit)
    if sent.name.startswith(_INTERNAL):
        raise invalid_payload(f"Property .name should not begin with {_INTERNAL}: such events are the system's own")
    _check_count(sent.schema.properties)
    # First, because it locks the project: definitions are changed one at a time.
    definitions.changed(unit, (_TYPE, definitions.ANY))
    if store.by_names(unit.conn, unit.project_id, [sent.name]):
        raise duplicate_name(_TYPE, sent.name)
    made = StoredDefinition(
        id=ids.text_id("ms_"), name=sent.name, properties=sent.schema.properties, created_at=unit.now
    )
    store.add(unit.conn, unit.project_id, made)
    return _answer(made)


def update(unit: Unit, schema_id: str, sent: DefinitionUpdate) -> DefinitionAnswer:
    """Adds and replaces properties. Raises ApiError 404, 400, 403 without the role."""
    _check_role(unit)
    definitions.changed(unit, (_TYPE, definitions.ANY))
    stored = _existing(unit, schema_id)
    properties = stored.properties | (sent.schema.properties if sent.schema else {})
    _check_count(properties)
    changed = msgspec.structs.replace(stored, properties=properties, updated_at=unit.now)
    store.save(unit.conn, unit.project_id, changed)
    return _answer(changed)


def delete(unit: Unit, schema_id: str) -> None:
    """For good; events that happened stay (our decision). Raises ApiError 404, 403 without the role."""
    _check_role(unit)
    definitions.changed(unit, (_TYPE, definitions.ANY))
    store.remove(unit.conn, unit.project_id, _existing(unit, schema_id).id)


def _check_role(unit: Unit) -> None:
    if unit.call.caller.role != "ADMIN":
        raise forbidden("Custom events are defined with a key of the role ADMIN")


def _check_count(properties: dict[str, Property]) -> None:
    if len(properties) > MOST_PROPERTIES:
        raise invalid_payload(f"Property .schema.properties should not have more than {MOST_PROPERTIES} definitions")


def _existing(unit: Unit, schema_id: str) -> StoredDefinition:
    found = store.by_id(unit.conn, unit.project_id, schema_id)
    if found is None:
        raise not_found(_TYPE, schema_id)
    return found


def _answer(stored: StoredDefinition) -> DefinitionAnswer:
    return DefinitionAnswer(
        id=stored.id,
        name=stored.name,
        schema=Properties(stored.properties),
        created_at=clock.iso(stored.created_at),
        updated_at=clock.iso_or_none(stored.updated_at) or UNSET,
    )
