"""What became of a transaction whose COMMIT was not answered.

The COMMIT may have been carried out, or be on its way still, so that running the transaction again could do everything twice.
PostgreSQL knows, for long after; it is asked by the transaction's id, which comes with the answer to BEGIN.
"""

import time

from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from largesse.kernel.database import trips

PATIENCE_SECONDS = 10.0  # how long a store may be away until nobody waits for what it knows
_PAUSE_SECONDS = 0.02
_FATE = text("SELECT pg_xact_status(CAST(:id AS xid8))")
# It waits for a COMMIT that will not be answered. Ended, it can do no more; if it is committing, it does so first.
_END = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_xid = CAST(CAST(:id AS xid8) AS xid)")


def is_doubtful(error: DBAPIError) -> bool:
    """Whether a COMMIT that failed like this may have been carried out all the same."""
    code: str | None = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or (code is not None and code.startswith(("08", "57P")))


def survived(error: DBAPIError, engine: Engine, id: str | None) -> bool | None:
    """Whether a transaction that ended with `error` was committed all the same; None where that is not to be learned.

    `id` is None where its COMMIT cannot have been sent. `engine` as for `is_committed`.
    """
    return is_committed(engine, id) if id is not None and is_doubtful(error) else False


def is_committed(engine: Engine, id: str) -> bool | None:
    """Whether a transaction was committed, once that cannot change any more; None where it is not to be learned.

    `engine` begins no transactions. On a sharded store, which commits in several places, only a commit is certain.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            with engine.connect() as conn:
                fate = conn.execute(_FATE, {"id": id}).scalar()
                if fate == "committed":
                    return True
                if fate == "aborted":
                    return None if trips.is_sharded(conn) else False
                conn.execute(_END, {"id": id})
        except DBAPIError:  # it is away, and may come back
            pass
        time.sleep(_PAUSE_SECONDS)
    return None
