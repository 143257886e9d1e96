"""Reactions: each event is seen once, what a reaction records is reacted to in turn, and circles end."""

from typing import cast

from sqlalchemy.engine import Connection

from largesse.kernel.call import Call, Caller
from largesse.kernel.database.reactions import MOST_ROUNDS, News, react
from largesse.kernel.database.unit import Unit
from largesse.kernel.project import Project, ProjectSettings


def unit() -> Unit:
    project = Project(id="proj_1", version=1, created_at=0, settings=ProjectSettings(name="Test"), secret="secret")
    call = Call(project=project, caller=Caller(surface="server", key_id="key"), request_id="v-1", now=0)
    return Unit(cast(Connection, None), call)


def test_a_reaction_sees_the_events_of_the_whole_batch_and_then_those_of_other_reactions() -> None:
    seen: list[list[str]] = []

    def on_payment(news: News) -> None:
        seen.append([event.type for _, event in news])
        for place, event in news:
            if event.type == "customer.order.paid":
                place.record("customer.rewarded", event.entity_id)

    units = [unit(), unit()]
    for number, one in enumerate(units):
        one.record("customer.order.paid", f"ord_{number}")
    react([on_payment], units)
    assert seen == [["customer.order.paid"] * 2, ["customer.rewarded"] * 2]
    assert [event.type for event in units[0].take_events()] == ["customer.order.paid", "customer.rewarded"]


def test_a_chain_of_reactions_that_goes_in_circles_ends() -> None:
    rounds = 0

    def on_anything(news: News) -> None:
        nonlocal rounds
        rounds += 1
        news[0][0].record("customer.segment.entered", "seg_1")

    one = unit()
    one.record("customer.updated", "cust_1")
    react([on_anything], [one])
    assert rounds == MOST_ROUNDS
