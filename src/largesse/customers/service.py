"""Use cases of customers, and what other rooms ask of them."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from largesse.customers import store
from largesse.customers.model import (
    COUNTED,
    Counts,
    CustomerAnswer,
    CustomerInput,
    CustomerList,
    CustomerUpdate,
    Held,
    OrderTotals,
    RedemptionTotals,
    SimpleCustomer,
    StoredCustomer,
    Summary,
)
from largesse.kernel import clock, ids, wire
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid, invalid_payload, not_found
from largesse.kernel.http.filters import earlier, later
from largesse.kernel.http.query import Query, within
from largesse.kernel.project import Project
from largesse.metadata_schemas.service import Schemas, schemas_of

HeldBy = Callable[[Unit, Collection[str]], Mapping[str, Held]]  # what customers hold, without those who hold nothing
IsMember = Callable[[Unit, str, ColumnElement[str]], ColumnElement[bool]]  # (unit, segment id, customer id)
_ORDERS = {name: store.customers.c[name] for name in ("created_at", "updated_at", "source_id")}
_TEXTS = ("name", "description", "email", "phone", "birthdate", "birthday")


# Identity


def tracking_key(project: Project, source_id: str | None, customer_id: str) -> str:
    """`track_` + base64 of a keyed digest of who it is: the same customer always gives the same value (our decision)."""
    digest = hmac.digest(project.secret.encode(), f"customer:{source_id or customer_id}".encode(), hashlib.sha256)
    return "track_" + base64.b64encode(digest[:16]).decode()


def tracking_id(_project: Project, customer: StoredCustomer | None) -> str | None:
    """What answers show as `tracking_id`; None where nobody is named."""
    return customer.tracking_key if customer else None


def find(
    conn: Connection,
    project: Project,
    inputs: Sequence[CustomerInput | None],
    tracking_ids: Sequence[str | None],
    *,
    lock: bool,
) -> list[StoredCustomer | ApiError | None]:
    """For each request the customer it names: by id, else source id, else tracking id, else a lone email. One query for all.

    An unknown id is an ApiError 404 in that place, contradicting names an ApiError 400 `ambiguous_tracking_id`.
    """
    named = [_keys(sent, tracking) for sent, tracking in zip(inputs, tracking_ids, strict=True)]
    found = store.find(
        conn,
        project.id,
        ids={key for kind, key in _flat(named) if kind == "id"},
        source_ids={key for kind, key in _flat(named) if kind in ("source_id", "tracking")},
        tracking_keys={
            key for kind, key in _flat(named) if kind in ("source_id", "tracking") and key.startswith("track_")
        },
        emails={key for kind, key in _flat(named) if kind == "email"},
        lock=lock,
    )
    return [_pick(keys, found, sent) for keys, sent in zip(named, inputs, strict=True)]


def _flat(named: Sequence[list[tuple[str, str]]]) -> list[tuple[str, str]]:
    return [pair for keys in named for pair in keys]


def _keys(sent: CustomerInput | None, tracking: str | None) -> list[tuple[str, str]]:
    """The names a request gives, strongest first."""
    keys: list[tuple[str, str]] = []
    if sent is not None and sent.id:
        keys.append(("id", sent.id))
    elif sent is not None and sent.source_id:
        keys.append(("source_id", sent.source_id))
    if tracking:
        keys.append(("tracking", tracking))
    if not keys and sent is not None and sent.email:
        keys.append(("email", sent.email.lower()))
    return keys


def _pick(
    keys: list[tuple[str, str]], found: list[StoredCustomer], sent: CustomerInput | None
) -> StoredCustomer | ApiError | None:
    matches: list[StoredCustomer] = []
    for kind, key in keys:
        match = next((customer for customer in found if _is_named(customer, kind, key)), None)
        if match is None and kind == "id":
            return not_found("customer", key)
        if match is not None:
            matches.append(match)
    if len({match.id for match in matches}) > 1:
        details = "The customer and the tracking_id of this request name two different customers"
        return invalid("ambiguous_tracking_id", "Ambiguous tracking id", details)
    if keys and keys[0][0] == "email":
        by_email = [customer for customer in found if _is_named(customer, *keys[0])]
        return by_email[0] if len(by_email) == 1 else None
    if matches and sent is not None and sent.source_id and not sent.id and keys[0][0] == "source_id":
        return matches[0] if _is_named(matches[0], *keys[0]) else None
    return matches[0] if matches else None


def _is_named(customer: StoredCustomer, kind: str, key: str) -> bool:
    if kind == "id":
        return customer.id == key
    if kind == "email":
        return customer.email is not None and customer.email.lower() == key
    return key in (customer.source_id, customer.tracking_key)


def by_key(unit: Unit, key: str, *, lock: bool = False) -> StoredCustomer | None:
    """The customer whose id or source id is `key`; id first."""
    found = store.find(unit.conn, unit.project_id, ids=[key], source_ids=[key], lock=lock)
    return next((c for c in found if c.id == key), found[0] if found else None)


def by_ids(
    conn: Connection, project: Project, customer_ids: Collection[str], *, lock: bool = False
) -> dict[str, StoredCustomer]:
    """Existing customers by id, in one query; locked in order of their ids."""
    return {customer.id: customer for customer in store.find(conn, project.id, ids=customer_ids, lock=lock)}


def source_ids(unit: Unit, customer_ids: Collection[str]) -> dict[str, str | None]:
    """The source ids of existing customers, in one query; none for no customers."""
    found = by_ids(unit.conn, unit.project, customer_ids) if customer_ids else {}
    return {id: customer.source_id for id, customer in found.items()}


def ids_of(conn: Connection, project_id: str, keys: Collection[str]) -> list[str]:
    """The ids of those customers that exist under these ids or source ids, each once."""
    return store.ids_of(conn, project_id, keys)


def some_ids(conn: Connection, project_id: str, after: str, limit: int) -> list[str]:
    """The ids of at most `limit` customers that follow `after`, in order."""
    return store.some_ids(conn, project_id, after, limit)


def blank(unit: Unit, source_id: str) -> StoredCustomer:
    """What is known of somebody who was never seen."""
    return merged(None, CustomerInput(source_id=source_id), unit.project, unit.now)


def lock(
    conn: Connection, project_id: str, customer_ids: Collection[str], *, skip_locked: bool = False
) -> dict[str, StoredCustomer]:
    """Existing customers by id, locked in id order until the transaction ends; where asked, without those that others hold."""
    if skip_locked:
        return {customer.id: customer for customer in store.lock_free(conn, project_id, customer_ids)}
    return {customer.id: customer for customer in store.find(conn, project_id, ids=customer_ids, lock=True)}


# Upsert


def describes(sent: CustomerInput) -> bool:
    """True where a request says something about a customer beyond naming them; a bare reference changes nothing (our decision)."""
    if sent.metadata is not None or sent.address is not None:
        return True
    named_by_email = not (sent.id or sent.source_id)
    texts = [name for name in _TEXTS if name != "email" or not named_by_email]
    return any(getattr(sent, name) is not None for name in texts)


def merged(stored: StoredCustomer | None, sent: CustomerInput, project: Project, now: int) -> StoredCustomer:
    """The profile with what was sent laid over it, or a new one. Changes neither argument."""
    if stored is None:
        customer_id = ids.text_id("cust_")
        key = tracking_key(project, sent.source_id, customer_id)
        base = StoredCustomer(id=customer_id, source_id=sent.source_id or None, tracking_key=key, created_at=now)
    elif describes(sent):
        base = msgspec.structs.replace(stored, updated_at=now)
    else:
        return stored
    for name in _TEXTS:
        if (value := getattr(sent, name)) is not None:
            setattr(base, name, value)
    if sent.address is not None:
        base.address = {**(base.address or {}), **msgspec.to_builtins(sent.address)}
    if sent.metadata is not None:
        base.metadata = wire.merge_metadata(base.metadata, sent.metadata)
    return base


def save(conn: Connection, project_id: str, new: Sequence[StoredCustomer], changed: Sequence[StoredCustomer]) -> None:
    """Writes profiles, set-wise; a source id that somebody else took meanwhile raises IntegrityError."""
    store.insert(conn, project_id, new)
    store.update(conn, project_id, changed)


def add_counts(conn: Connection, project_id: str, deltas: Sequence[tuple[str, Counts]]) -> None:
    """Adds to the statistics of several customers, one delta each."""
    store.add_counts(conn, project_id, deltas)


def counted(customer: StoredCustomer, delta: Counts) -> StoredCustomer:
    """The customer with a change of their statistics. Changes neither argument."""
    added = {name: getattr(customer, name) + getattr(delta, name) for name in COUNTED}
    if delta.last_order_date is not None:
        added |= {"last_order_amount": delta.last_order_amount or 0, "last_order_date": delta.last_order_date or None}
    return msgspec.structs.replace(customer, **added)


def record_upsert(unit: Unit, customer: StoredCustomer, is_new: bool, before: StoredCustomer | None = None) -> None:
    """Records customer.created or customer.updated with the profile as it now is; `before` as it was, where that is known."""
    name = "customer.created" if is_new else "customer.updated"
    data = {"customer": msgspec.to_builtins(answer(customer))}
    unit.record(name, customer.id, data, customer_id=customer.id, about=customer, before=before)


def upsert(unit: Unit, sent: CustomerInput, *, unknown_id_is_new: bool = False) -> StoredCustomer:
    """The customer a request describes, created or updated. Raises ApiError 404 for an unknown id, unless that makes a new one."""
    check_profile(sent.email, sent.birthdate, sent.birthday)
    found = find(unit.conn, unit.project, [sent], [None], lock=True)[0]
    if isinstance(found, ApiError):
        if not unknown_id_is_new:
            raise found
        return upsert(unit, msgspec.structs.replace(sent, id=None))
    customer = merged(found, sent, unit.project, unit.now)
    check_metadata(schemas_of(unit), sent, customer, is_new=found is None)
    if found is None:
        save(unit.conn, unit.project_id, [customer], [])
    elif unknown_id_is_new or describes(sent):
        customer = msgspec.structs.replace(customer, updated_at=unit.now)
        save(unit.conn, unit.project_id, [], [customer])
    else:
        return customer
    record_upsert(unit, customer, found is None, found)
    return customer


def check_metadata(schemas: Schemas, sent: CustomerInput, customer: StoredCustomer, *, is_new: bool) -> None:
    """Refuses metadata that is not as its schema says: 400 `metadata_validation_failed`. `customer` is as after the upsert."""
    if is_new:
        schemas.check_new("customer", customer.metadata)
    else:
        schemas.check_changed("customer", sent.metadata, customer.metadata)


def check_profile(email: str | None, *days: str | None) -> None:
    """Refuses what cannot be an email address or a day (400 `invalid_payload`)."""
    if email and ("@" not in email[1:-1] or any(char.isspace() for char in email)):
        raise invalid_payload("Property .email should be an email address")
    for day in days:
        if day is not None:
            try:
                clock.parse_day(day)
            except ValueError:
                raise invalid_payload("Property .birthdate should be a date of the form YYYY-MM-DD") from None


# The resource


def get(unit: Unit, key: str, held_by: HeldBy) -> CustomerAnswer:
    return _whole(unit, [_existing(unit, key)], held_by)[0]


def _whole(unit: Unit, found: Sequence[StoredCustomer], held_by: HeldBy) -> list[CustomerAnswer]:
    held = held_by(unit, [customer.id for customer in found])
    return [answer(customer, held.get(customer.id)) for customer in found]


def _existing(unit: Unit, key: str, *, lock: bool = False) -> StoredCustomer:
    customer = by_key(unit, key, lock=lock)
    if customer is None:
        raise not_found("customer", key)
    return customer


def create(unit: Unit, sent: CustomerInput, held_by: HeldBy) -> CustomerAnswer:
    """`POST /v1/customers`: an upsert by id, source id or lone email."""
    return _whole(unit, [upsert(unit, sent, unknown_id_is_new=True)], held_by)[0]


def update(unit: Unit, key: str, sent: CustomerUpdate, held_by: HeldBy) -> CustomerAnswer:
    """`PUT`: raises ApiError 404 for an unknown customer."""
    before = _existing(unit, key, lock=True)  # so that it is what the change is laid over, whoever changes it at once
    customer = msgspec.structs.replace(before, updated_at=unit.now)
    check_profile(sent.email or None)
    for name in _TEXTS:
        if (value := getattr(sent, name)) is not UNSET:
            setattr(customer, name, None if value is None else str(value))
    if sent.address is None:
        customer.address = None
    elif sent.address is not UNSET:
        customer.address = {**(customer.address or {}), **sent.address}
    unset = sent.unset_metadata_fields or []
    customer.metadata = wire.without_fields(wire.merge_metadata(customer.metadata, sent.metadata or None), unset)
    schemas_of(unit).check_changed("customer", sent.metadata or None, customer.metadata, unset)
    save(unit.conn, unit.project_id, [], [customer])
    record_upsert(unit, customer, False, before)
    return _whole(unit, [customer], held_by)[0]


def remove(unit: Unit, key: str) -> StoredCustomer:
    """Deletes the profile; the ledger keeps the id. Raises ApiError 404."""
    customer = _existing(unit, key)
    store.remove(unit.conn, unit.project_id, customer.id)
    return customer


def list_customers(unit: Unit, query: Query, is_member: IsMember, held_by: HeldBy) -> CustomerList:
    columns = store.customers.c
    conditions = within(columns.created_at, query.between("created_at"))
    conditions += within(columns.updated_at, query.between("updated_at"))
    if email := query.text("email"):
        conditions.append(columns.email_key == email.lower())
    if name := query.text("name"):
        conditions.append(columns.name == name)
    if city := query.text("city"):
        conditions.append(columns.address.contains(f'"city":{wire.encode_text(city)}', autoescape=True))
    if segment_id := query.text("segment_id"):
        conditions.append(is_member(unit, segment_id, columns.id))
    if (after := query.instant("starting_after")) is not None:
        ascending = query.text("order") == "created_at"
        conditions.append(later(columns.created_at, after) if ascending else earlier(columns.created_at, after))
    order = query.order(_ORDERS, "-created_at", columns.id)
    page = query.page(max_page=99)
    found, total = store.page(unit.conn, unit.project_id, conditions, order, limit=page.limit, offset=page.offset)
    return CustomerList(customers=_whole(unit, found, held_by), total=total, has_more=page.offset + len(found) < total)


def counters(conn: Connection, project_id: str) -> list[tuple[str, Mapping[str, int]]]:
    """Stored statistics of every customer, for verification."""
    return store.counters(conn, project_id)


# Shapes


def simple(customer: StoredCustomer) -> SimpleCustomer:
    return SimpleCustomer(
        id=customer.id,
        name=customer.name,
        email=customer.email,
        source_id=customer.source_id,
        metadata=customer.metadata,
    )


def answer(customer: StoredCustomer, held: Held | None = None) -> CustomerAnswer:
    """The whole profile; events leave out what is `held`.

    A customer's `total_redeemed` is successes less rollbacks (our decision).
    """
    held = held or Held()
    shown = CustomerAnswer(
        id=customer.id,
        source_id=customer.source_id,
        summary=Summary(_redemption_totals(customer, held), _order_totals(customer)),
        loyalty=held.loyalty,
        referrals={"total": 0, "campaigns": []},
        metadata=customer.metadata,
        created_at=clock.iso(customer.created_at),
    )
    for name in _TEXTS:
        if (value := getattr(customer, name)) is not None:
            setattr(shown, name, value)
    if customer.address is not None:
        shown.address = customer.address
    if customer.updated_at is not None:
        shown.updated_at = clock.iso(customer.updated_at)
    return shown


def _redemption_totals(customer: StoredCustomer, held: Held) -> RedemptionTotals:
    return RedemptionTotals(
        total_redeemed=customer.total_succeeded - customer.total_rolled_back,
        total_failed=customer.total_failed,
        total_succeeded=customer.total_succeeded,
        total_rolled_back=customer.total_rolled_back,
        total_rollback_failed=customer.total_rollback_failed,
        total_rollback_succeeded=customer.total_rolled_back,
        gift={"redeemed_amount": customer.gift_redeemed_amount, "amount_to_go": held.gift_credits},
        loyalty_card={"redeemed_points": held.redeemed_points, "points_to_go": held.points},
    )


def _order_totals(customer: StoredCustomer) -> OrderTotals:
    count = customer.orders_count
    totals = OrderTotals(
        total_amount=customer.orders_amount,
        total_count=count,
        average_amount=customer.orders_amount // count if count else 0,
        last_order_amount=customer.last_order_amount,
    )
    if customer.last_order_date is not None:
        totals.last_order_date = clock.iso(customer.last_order_date)
    return totals


def references(value: Any) -> Any:
    """A customer inside an order."""
    return {"id": value, "object": "customer"}
