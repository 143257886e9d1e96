"""Opening the books of a batch of redemptions or validations, with the project as it is now, in as few round trips as can be."""

from collections.abc import Sequence

from sqlalchemy.engine import Connection

import largesse.vouchers.service as vouchers
from largesse.kernel.access.projects import first_look
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project
from largesse.redemptions.books import Books
from largesse.redemptions.wanted import Wanted


def open_books(
    conn: Connection, project: Project, wanted: Sequence[Wanted], now: int, *, lock: bool, settler: Unit | None = None
) -> Books:
    """The books of what a batch wants; `books.project` is the project with the settings in force.

    Vouchers are asked for together with that, where nothing else has to be locked before them.
    """
    codes = {code for one in wanted for code in one.vouchers}
    is_first = not lock or all(map(_is_plain, wanted))
    questions = [vouchers.question(project, codes, lock=lock)] if codes and is_first else []
    current, found = first_look(conn, project, *questions)
    return Books(conn, current, wanted, now, lock=lock, settler=settler, asked=found[0] if found else None)


def _is_plain(wanted: Wanted) -> bool:
    """Whether it names no customer, no stored order, and no card whose points may be due."""
    order = wanted.order
    is_new = order is None or not (order.id or order.source_id)
    return is_new and wanted.customer is None and wanted.tracking_id is None and not wanted.cards
