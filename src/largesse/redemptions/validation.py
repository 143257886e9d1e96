"""Validating: the same decision as redeeming, answered and forgotten - unless the request asks for a lock."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

import largesse.vouchers.service as vouchers
from largesse.engine.sessions import locks_for
from largesse.kernel import ids
from largesse.kernel.database.alone import each_alone
from largesse.kernel.database.unit import Unit
from largesse.redemptions import store
from largesse.redemptions.answers.validations import validation_answer
from largesse.redemptions.books import Books
from largesse.redemptions.evaluation import Evaluation, Question, check_metadata, evaluate, load_budgets
from largesse.redemptions.opening import open_books
from largesse.redemptions.wanted import wanted_by


def validate(conn: Connection, work: Sequence[tuple[Unit, Question]]) -> list[Any]:
    """Decider of the read lane: answers each request as JSON, changing nothing."""
    return _validate(conn, work, lock=False)


def validate_and_lock(conn: Connection, work: Sequence[tuple[Unit, Question]]) -> list[Any]:
    """Decider of a write lane: as `validate`, and keeps what a valid request asks for from others."""
    return _validate(conn, work, lock=True)


def _validate(conn: Connection, work: Sequence[tuple[Unit, Question]], *, lock: bool) -> list[Any]:
    now = max(unit.now for unit, _ in work)
    books = open_books(conn, work[0][0].project, [wanted_by(question.body) for _, question in work], now, lock=lock)
    for unit, _ in work:
        unit.call = msgspec.structs.replace(unit.call, project=books.project)
    load_budgets(books, [(unit, question.body) for unit, question in work], lock=False)
    return each_alone(lambda place, unit, question: _validate_one(conn, books, place, unit, question, lock=lock), work)


def _validate_one(conn: Connection, books: Books, place: int, unit: Unit, question: Question, *, lock: bool) -> bytes:
    session = question.body.session
    if session is not None and session.key is None and lock:
        session = msgspec.structs.replace(session, key=ids.text_id("ssn_", 32))
    evaluation = evaluate(books, place, unit.call, question.body, session_key=session.key if session else None)
    check_metadata(books, question.body, evaluation, creates=False)
    if session is not None and session.key is not None and lock and evaluation.decision.valid:
        _hold(conn, books, unit, evaluation, session.key, unit.now + session.lifetime())
    return validation_answer(books, unit, question, evaluation, session)


def _hold(conn: Connection, books: Books, unit: Unit, evaluation: Evaluation, key: str, expires_at: int) -> None:
    """Replaces the locks of session `key` by those of this request, in the store and in the books."""
    held = locks_for(evaluation.decision)
    store.delete_session(conn, unit.project_id, key)
    store.delete_expired_locks(conn, unit.project_id, [voucher_id for voucher_id, _, _ in held], unit.now)
    rows = [(key, voucher_id, quantity, credits, expires_at, unit.now) for voucher_id, quantity, credits in held]
    store.insert_locks(conn, unit.project_id, rows)
    vouchers.note_locks(conn, unit.project_id, [voucher_id for voucher_id, _, _ in held], expires_at)
    books.hold(key, held, expires_at)
