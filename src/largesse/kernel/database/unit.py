"""The unit of work: one transaction's connection, the request it serves, and the events it records."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.engine import Connection

from largesse.kernel.call import Call
from largesse.kernel.events import Event, new_event
from largesse.kernel.project import Project


@dataclass(slots=True)
class Unit:
    """What a service works with. Everything done through `conn` and everything recorded commits together, or not at all."""

    conn: Connection
    call: Call
    events: list[Event] = field(default_factory=list)
    written: list[str] = field(default_factory=list)  # ids of events already written in this transaction
    news: list[Event] = field(default_factory=list)  # recorded events that nothing has reacted to yet
    is_current: bool = (
        False  # whether the project is known to be as this transaction sees it, see `definitions.current`
    )
    changes_definitions: bool = False  # whether it moved the project's version, which may yet be undone

    @property
    def project(self) -> Project:
        return self.call.project

    @property
    def project_id(self) -> str:
        return self.call.project.id

    @property
    def now(self) -> int:
        return self.call.now

    def take_events(self) -> list[Event]:
        """The events recorded since the last call, for whoever writes them now."""
        taken, self.events = self.events, []
        self.written += [event.id for event in taken]
        return taken

    def take_news(self) -> list[Event]:
        """The events recorded since the last call, for whoever reacts to them now."""
        taken, self.news = self.news, []
        return taken

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What is done and recorded inside is undone where it raises."""
        events, news = len(self.events), len(self.news)
        savepoint = self.conn.begin_nested()
        try:
            yield
        except BaseException:
            savepoint.rollback()
            del self.events[events:], self.news[news:]
            raise
        savepoint.commit()

    def forget(self) -> None:
        """Drops what was recorded: the work it tells of was undone."""
        self.events.clear()
        self.news.clear()

    def record(
        self,
        type: str,
        entity_id: str,
        data: dict[str, Any] | None = None,
        *,
        customer_id: str | None = None,
        about: Any = None,
        before: Any = None,
    ) -> None:
        """Adds an event to the log of this transaction; see `kernel.events` for its members."""
        event = new_event(self.call, type, entity_id, data or {}, customer_id, about, before)
        self.events.append(event)
        self.news.append(event)
