"""Reactions: what rooms do, in the same transaction, about what another room just did.

An order that becomes paid earns points; a customer that changes enters a segment; entering a segment earns points again. The room
that acts knows nothing of those that react: it records an event, as it does anyway. Reactions see the events of a whole batch at
once, so that they can read and write set-wise, and the events they record are reacted to in turn, until nothing new happens.
"""

from collections.abc import Sequence
from typing import Protocol

from largesse.kernel.database.unit import Unit
from largesse.kernel.events import Event

MOST_ROUNDS = 10  # a chain of reactions longer than this goes in circles; our decision
News = Sequence[tuple[Unit, Event]]


class Reaction(Protocol):
    """Reacts to those of the events that concern it; all units share one connection and one project."""

    def __call__(self, news: News) -> None: ...


Reactions = Sequence[Reaction]


def react(reactions: Reactions, units: Sequence[Unit]) -> None:
    """Lets every reaction see what the units recorded, round by round. Each event is seen once."""
    for _ in range(MOST_ROUNDS):
        news = [(unit, event) for unit in units for event in unit.take_news()]
        if not news:
            return
        for reaction in reactions:
            reaction(news)
