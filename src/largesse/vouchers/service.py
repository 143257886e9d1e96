"""Use cases of vouchers, and what the redemptions room asks of them."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from msgspec import UNSET
from sqlalchemy.engine import Connection

import largesse.bin.service as bin
import largesse.categories.service as categories
import largesse.customers.service as customers
import largesse.validation_rules.service as validation_rules
from largesse.engine.books import Voucher
from largesse.engine.discounts import Discount, check_discount
from largesse.engine.refusal import Refusal
from largesse.engine.validity import check_definition
from largesse.kernel import ids, ledger, wire
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, duplicate_found, invalid, not_found
from largesse.kernel.http.filters import where
from largesse.kernel.http.query import Query, within
from largesse.kernel.project import Project
from largesse.vouchers import codes, credit, store
from largesse.vouchers.answers import answer, slim
from largesse.vouchers.credit import redemption_transaction, refund_transaction
from largesse.vouchers.filters import FILTERS
from largesse.vouchers.model import (
    DISCOUNT_VOUCHER,
    GIFT_VOUCHER,
    LOYALTY_CARD,
    MAX_CREDITS,
    BalanceAnswer,
    BalanceChange,
    CodeConfig,
    CreditTransaction,
    GiftCreate,
    StoredVoucher,
    TransactionList,
    VoucherAnswer,
    VoucherCounters,
    VoucherCreate,
    VoucherList,
    VoucherUpdate,
)

__all__ = ["answer", "redemption_transaction", "refund_transaction", "slim"]

_ORDERS = {name: store.vouchers.c[name] for name in ("created_at", "updated_at", "code")}
_ATTEMPTS = 20


# What redemptions ask


def load(
    conn: Connection, project: Project, keys: Collection[str], *, lock: bool, binned: bool = False
) -> dict[str, StoredVoucher]:
    """Vouchers under every key as given, a code or an id (id first). One query; the same voucher is the same object.

    `lock` keeps the rows from other transactions, taken in id order. Those in the bin are seen only with `binned`.
    """
    code_keys = {project.code_key(key): key for key in keys}
    rows = store.load(
        conn, project.id, code_keys.keys(), [key for key in keys if key.startswith("v_")], lock=lock, binned=binned
    )
    by_code = dict(rows)
    by_id = {stored.entry.id: stored for _, stored in rows}
    found: dict[str, StoredVoucher] = {}
    for key in keys:
        stored = by_id.get(key) or by_code.get(project.code_key(key))
        if stored is not None:
            found[key] = stored
    return found


def add_uses(conn: Connection, project_id: str, changes: Sequence[tuple[str, int, int]], now: int) -> None:
    """Moves stored counters: (voucher id, uses, redeemed credits), one row per voucher. Raises GuardViolation, never oversells."""
    store.add_uses(conn, project_id, changes, now)


def add_transactions(conn: Connection, project_id: str, rows: Sequence[CreditTransaction]) -> None:
    store.insert_transactions(conn, project_id, rows)


def note_locks(conn: Connection, project_id: str, voucher_ids: Sequence[str], until: int) -> None:
    """Notes that a session holds something of these vouchers until then, so that decisions look for its locks."""
    store.note_locks(conn, project_id, voucher_ids, until)


def id_of(unit: Unit, key: str) -> str:
    """The id of the voucher with this code or id. Raises ApiError 404."""
    return _existing(unit, key).entry.id


def note_rules(unit: Unit, voucher_id: str, rule_ids: list[str]) -> None:
    """Lets a voucher know its own rules, in order of assignment, so that decisions need not look for them."""
    store.note_rules(unit.conn, unit.project_id, voucher_id, rule_ids)


def counters(conn: Connection, project_id: str) -> list[VoucherCounters]:
    """Stored counters of every voucher, for verification."""
    return store.counters(conn, project_id)


# The resource


def get(unit: Unit, code: str, base_url: str) -> VoucherAnswer:
    return _shown(unit, _existing(unit, code), base_url)


def create(unit: Unit, sent: VoucherCreate, base_url: str, *, code: str | None = None) -> VoucherAnswer:
    """A discount code or gift card outside campaigns, its code from the path, the body or the generator.

    Raises ApiError 409 `duplicate_found`, 400 `invalid_voucher`, `invalid_gift`, `invalid_code_config`, 404 for what it refers to.
    """
    _check_references(sent)
    wire.check_metadata(sent.metadata)
    kind = _type_of(sent)
    entry = Voucher(
        id=ids.text_id("v_", 32),
        code="",
        type=kind,
        discount=_discount(sent.discount) if sent.discount is not None else None,
        quantity=sent.redemption.quantity if sent.redemption else None,
        active=sent.active is not False,
        category_id=categories.resolve(unit, sent.category_id, sent.category),
        rule_ids=list(dict.fromkeys(sent.validation_rules or ())),
        start_date=sent.start_date,
        expiration_date=sent.expiration_date,
        validity_timeframe=sent.validity_timeframe,
        validity_day_of_week=sent.validity_day_of_week,
        validity_hours=sent.validity_hours,
        metadata=sent.metadata or {},
    )
    if sent.gift is not None:
        entry.gift_amount, entry.gift_effect = _gift_amount(sent.gift), sent.gift.effect
    _check_validity(entry)
    wanted = code if code is not None else sent.code
    entry.code = codes.clean(wanted) if wanted is not None else _free_code(unit, _code_config(sent.code_config))
    code_key = unit.project.code_key(entry.code)
    if wanted is not None and store.is_taken(unit.conn, unit.project_id, code_key):
        raise duplicate_found("voucher", entry.code)
    stored = StoredVoucher(
        entry=entry,
        additional_info=sent.additional_info,
        created_at=unit.now,
        updated_at=None,
        publish_count=0,
        referrer_id=None,
        qr_id=_asset_id(unit.project, entry.id, "qr"),
        barcode_id=_asset_id(unit.project, entry.id, "barcode"),
    )
    store.insert(unit.conn, unit.project_id, stored, code_key)
    if entry.gift_amount:
        initial = ledger.Entry(ledger.GIFT_CREDITS, entry.id, entry.gift_amount, "creation", entry.id, unit.now)
        ledger.post(unit.conn, unit.project_id, [initial])
    validation_rules.assign(unit, entry.rule_ids, "voucher", entry.id)
    shown = _shown(unit, stored, base_url)
    _record(unit, "voucher.created", shown)
    return shown


def update(unit: Unit, code: str, sent: VoucherUpdate, base_url: str) -> VoucherAnswer:
    """Changes what may change. Raises ApiError 404, 400 `invalid_voucher` for another discount type."""
    stored = _existing(unit, code, lock=True)
    entry = stored.entry
    if sent.category_id is not UNSET or sent.category is not UNSET:
        entry.category_id = categories.resolve(unit, sent.category_id or None, sent.category or None)
    for name in (
        "start_date",
        "expiration_date",
        "validity_timeframe",
        "validity_day_of_week",
        "validity_hours",
        "active",
    ):
        if (value := getattr(sent, name)) is not UNSET:
            setattr(entry, name, value)
    if sent.additional_info is not UNSET:
        stored.additional_info = sent.additional_info
    if isinstance(sent.discount, dict) and entry.type == DISCOUNT_VOUCHER:
        entry.discount = _changed_discount(entry, sent.discount)
    if sent.metadata:
        wire.check_metadata(sent.metadata)
        entry.metadata = wire.merge_metadata(entry.metadata, sent.metadata)
    if sent.unset_metadata_fields:
        entry.metadata = wire.without_fields(entry.metadata, sent.unset_metadata_fields)
    _check_validity(entry)
    return _saved(unit, stored, "voucher.updated", base_url)


def switch(unit: Unit, code: str, base_url: str, *, active: bool) -> VoucherAnswer:
    """Enables or disables; doing so again changes nothing more."""
    stored = _existing(unit, code, lock=True)
    stored.entry.active = active
    return _saved(unit, stored, "voucher.enabled" if active else "voucher.disabled", base_url)


def delete(unit: Unit, code: str, *, force: bool) -> None:
    """To the bin, where its code stays taken, or for good. Raises ApiError 404."""
    stored = _existing(unit, code, lock=True)
    if force:
        purge(unit, stored.entry.id)
    else:
        store.put_in_bin(unit.conn, unit.project_id, stored.entry.id, unit.now)
        bin.put(unit, "voucher", stored.entry.id, stored.entry.code, stored.entry.campaign_id)
    unit.record("voucher.deleted", stored.entry.id, {"voucher": msgspec.to_builtins(slim(stored)), "campaign": None})


def purge(unit: Unit, voucher_id: str) -> None:
    """Removes for good, with the assignments of its rules."""
    store.remove(unit.conn, unit.project_id, voucher_id)
    validation_rules.remove_assignments(unit, "voucher", [voucher_id])


def forget_category(unit: Unit, category_id: str) -> None:
    """Vouchers of a category that is gone have none."""
    store.forget_category(unit.conn, unit.project_id, category_id)


def change_balance(unit: Unit, code: str, sent: BalanceChange) -> BalanceAnswer:
    return credit.change_balance(unit, _existing(unit, code, lock=True), sent)


def list_transactions(unit: Unit, code: str, query: Query) -> TransactionList:
    return credit.list_transactions(unit, _existing(unit, code), query)


def list_vouchers(unit: Unit, query: Query, base_url: str) -> VoucherList:
    """Every parameter and filter of the list; newest first."""
    columns = store.vouchers.c
    conditions = within(columns.created_at, query.between("created_at"))
    conditions += within(columns.updated_at, query.between("updated_at"))
    for parameter, column in (("campaign", columns.campaign), ("campaign_id", columns.campaign_id)):
        if value := query.text(parameter):
            conditions.append(column == value)
    if category := query.text("category_id") or query.text("category"):
        named = categories.find(unit, category)
        conditions.append(columns.category_id == (named.id if named else category))
    if wanted := query.all("code"):
        conditions.append(columns.code_key.in_([unit.project.code_key(code) for code in wanted]))
    if wanted := query.all("ids"):
        conditions.append(columns.id.in_(wanted))
    if holder := query.text("customer"):
        customer = customers.by_key(unit, holder)
        conditions.append(columns.holder_id == (customer.id if customer else holder))
    filters = query.filters()
    if filters is not None and (condition := where(filters, FILTERS, now=unit.now)) is not None:
        conditions.append(condition)
    page = query.page(max_page=99)
    order = query.order(_ORDERS, "-created_at", columns.id)
    found, total = store.page(unit.conn, unit.project_id, conditions, order, limit=page.limit, offset=page.offset)
    held = categories.answers(unit.conn, unit.project, {v.entry.category_id for v in found if v.entry.category_id})
    shown = [answer(stored, base_url, held.get(stored.entry.category_id or "")) for stored in found]
    return VoucherList(vouchers=shown, total=total)


def code_of_asset(conn: Connection, kind: str, asset_id: str) -> str | None:
    """The code that an image address stands for; None when it stands for none."""
    return store.code_of_asset(conn, kind, asset_id)


# Checks and small parts


def _shown(unit: Unit, stored: StoredVoucher, base_url: str) -> VoucherAnswer:
    """With its category and the assignments of its rules."""
    entry = stored.entry
    category = categories.answers(unit.conn, unit.project, [entry.category_id]) if entry.category_id else {}
    assigned = validation_rules.assignments(unit.conn, unit.project, "voucher", [entry.id])[entry.id]
    return answer(stored, base_url, category.get(entry.category_id or ""), validation_rules.embedded(assigned))


def _existing(unit: Unit, code: str, *, lock: bool = False) -> StoredVoucher:
    stored = load(unit.conn, unit.project, [code], lock=lock).get(code)
    if stored is None:
        raise not_found("voucher", code)
    return stored


def _saved(unit: Unit, stored: StoredVoucher, event: str, base_url: str) -> VoucherAnswer:
    stored.updated_at = unit.now
    store.save(unit.conn, unit.project_id, stored)
    shown = _shown(unit, stored, base_url)
    _record(unit, event, shown)
    return shown


def _record(unit: Unit, event: str, shown: VoucherAnswer) -> None:
    unit.record(event, shown.id, {"voucher": msgspec.to_builtins(shown), "campaign": None})


def _check_references(sent: VoucherCreate) -> None:
    """What a voucher may refer to and does not exist: campaigns."""
    if sent.campaign or sent.campaign_id:
        raise not_found("campaign", str(sent.campaign_id or sent.campaign))


def _type_of(sent: VoucherCreate) -> str:
    """The type said, or the one its value object implies. Raises ApiError 400 `invalid_voucher` where they disagree."""
    values = {DISCOUNT_VOUCHER: sent.discount, GIFT_VOUCHER: sent.gift, LOYALTY_CARD: sent.loyalty_card}
    given = [kind for kind, value in values.items() if value is not None]
    if LOYALTY_CARD in given or sent.type == LOYALTY_CARD:
        raise _invalid("A loyalty card belongs to a loyalty program: name its campaign")
    if len(given) != 1 or (sent.type is not None and sent.type != given[0]):
        raise _invalid(
            "A voucher has exactly one of discount and gift, fitting its type (DISCOUNT_VOUCHER or GIFT_VOUCHER)"
        )
    return given[0]


def _discount(sent: dict[str, Any]) -> Discount:
    """A discount as defined. Raises ApiError 400 `invalid_voucher` for one that is incomplete, else `invalid_payload`."""
    if "type" not in sent:
        raise _invalid("Property .discount should have required property 'type'")
    discount: Discount = wire.convert(wire.without_nulls(sent), Discount, ".discount")
    _raise(check_discount(discount))
    return discount


def _code_config(sent: dict[str, Any] | None) -> CodeConfig:
    config: CodeConfig = wire.convert(wire.without_nulls(sent or {}), CodeConfig, ".code_config")
    return config


def _gift_amount(gift: GiftCreate) -> int:
    amount = gift.amount
    if isinstance(amount, bool) or not isinstance(amount, int) or not 0 <= amount <= MAX_CREDITS:
        raise invalid("invalid_gift", "Invalid gift", "Property .gift.amount should be a whole number of at least 0")
    return amount


def _changed_discount(entry: Voucher, sent: dict[str, Any]) -> Discount:
    discount = _discount({"type": msgspec.to_builtins(entry.discount)["type"]} | sent)
    if type(entry.discount) is not type(discount):
        raise _invalid("It is not possible to change Voucher discount type")
    return discount


def _check_validity(entry: Voucher) -> None:
    _raise(
        check_definition(
            entry.start_date,
            entry.expiration_date,
            entry.validity_timeframe,
            entry.validity_day_of_week,
            entry.validity_hours,
        )
    )


def _raise(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise ApiError(refusal)


def _invalid(details: str) -> ApiError:
    return invalid("invalid_voucher", "Invalid Voucher", details)


def _free_code(unit: Unit, config: CodeConfig) -> str:
    """A generated code that nobody has. Raises ApiError 400 `invalid_code_config` when the pattern's codes are used up."""
    for _ in range(1 if codes.is_single(config) else _ATTEMPTS):
        code = codes.generate(config)
        if not store.is_taken(unit.conn, unit.project_id, unit.project.code_key(code)):
            return code
    details = "The pattern has no free code left: use more # characters or a larger charset"
    raise invalid("invalid_code_config", "Invalid code config", details)


def _asset_id(project: Project, voucher_id: str, kind: str) -> str:
    """Stable and unguessable: a keyed UUID of the voucher and the kind of image."""
    return str(uuid.uuid5(uuid.UUID(project.secret[:32]), f"{kind}:{voucher_id}"))
