"""Which segments customers are in, as the decisions of one batch ask."""

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy.engine import Connection

from largesse.customers.model import StoredCustomer
from largesse.customers.service import HeldBy
from largesse.kernel.call import Call
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project
from largesse.segments.membership import is_inside, known_of, load, needs_profile
from largesse.segments.profiles import Extras, extras_of, moment, profile_of


class Segments:
    """`customers` are those of the batch as the store has them; one query tells what is noted of them in all segments asked for.

    Whoever is described otherwise than stored, new or changed by the batch, is judged by what they are now (documented). `project`
    must be as `definitions.current` answered. Unknown segments have no members.
    """

    def __init__(
        self,
        conn: Connection,
        project: Project,
        segment_ids: Collection[str],
        customers: Sequence[StoredCustomer],
        held_by: HeldBy,
    ) -> None:
        self._conn = conn
        self._project = project
        self._stored = {one.id: one for one in customers}
        self._segments = load(conn, project, segment_ids)
        self._noted = known_of(conn, project, self._stored, self._segments)
        self._held_by = held_by
        self._extras: Extras | None = None

    def has(self, segment_id: str, customer: StoredCustomer, call: Call) -> bool:
        """Whether a customer is in a segment at the time of a call."""
        segment = self._segments.get(segment_id)
        if segment is None:
            return False
        when = moment(self._project, call.now)
        noted = self._noted.get((customer.id, segment_id))
        profile = None
        if self._stored.get(customer.id) is not customer or needs_profile(segment, noted, when):
            profile = profile_of(customer, self._known(call))
        return is_inside(segment, noted, profile, when)

    def _unit(self, call: Call) -> Unit:
        return Unit(self._conn, msgspec.structs.replace(call, project=self._project), is_current=True)

    def _known(self, call: Call) -> Extras:
        """What profiles have beside the customer's row, read once for all."""
        if self._extras is None:
            filters = [one.filter for one in self._segments.values() if one.filter is not None]
            self._extras = extras_of(self._unit(call), filters, self._stored, self._held_by)
        return self._extras
