"""What a project offers follows every change of a definition, and is then as if it had been put together anew."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

import largesse.campaigns.service as campaigns
import largesse.categories.service as categories
import largesse.promotions.service as promotions
import largesse.promotions.stacks as stacks
import largesse.validation_rules.service as validation_rules
from largesse.app import HOLDINGS, _forget_category, _note_rules, _ruled_object
from largesse.campaigns.model import CampaignCreate, CampaignUpdate
from largesse.categories.model import CategoryInput
from largesse.engine.scenarios import Scenario
from largesse.kernel import definitions, wire
from largesse.kernel.access.projects import create_project, current_project
from largesse.kernel.call import Call, Caller
from largesse.kernel.database.unit import Unit
from largesse.kernel.http.query import Query
from largesse.kernel.project import ProjectSettings
from largesse.promotions.model import StackCreate, StackUpdate, TierCreate, TierUpdate
from largesse.redemptions.offering import Offers, offers_of
from largesse.validation_rules.model import AssignmentInput, RuleInput

NOW = 1_790_000_000_000_000
SCENARIOS: tuple[Scenario, ...] = ("ALL", "AUDIENCE_ONLY", "PRODUCTS")


class Shop:
    """A project whose definitions change at random; `made` are the ids of what there is."""

    def __init__(self, engine: Engine, random: Random) -> None:
        self.engine = engine
        self.random = random
        with engine.begin() as conn:
            self.project = create_project(conn, ProjectSettings(name="P"), NOW)
        self.made: dict[str, list[str]] = {
            kind: [] for kind in ("campaign", "pool", "tier", "stack", "rule", "category", "assignment")
        }
        self.clock = NOW

    def unit(self, conn: Connection) -> Unit:
        self.clock += 1_000_000
        project = current_project(conn, self.project)
        return Unit(
            conn, Call(project=project, caller=Caller(surface="server", key_id="k"), request_id="v-1", now=self.clock)
        )

    def any(self, kind: str) -> str:
        return self.random.choice(self.made[kind])

    def change(self) -> None:
        """Something that is possible, in a transaction that is undone now and then."""
        steps = [step for step, wanted in STEPS.items() if all(self.made[kind] for kind in wanted)]
        step = self.random.choice(steps)
        with self.engine.connect() as conn, conn.begin() as transaction:
            made = {kind: [*held] for kind, held in self.made.items()}
            step(self, self.unit(conn))
            if self.random.random() < 0.1:
                transaction.rollback()
                self.made = made

    def rules(self) -> list[str]:
        return self.random.sample(self.made["rule"], min(len(self.made["rule"]), self.random.randint(0, 2)))

    def category(self) -> str | None:
        return self.random.choice([None, *self.made["category"]])

    def place(self) -> int | None:
        return self.random.choice([None, 1, 2])


def sent(kind: Any, **members: Any) -> Any:
    return wire.convert({name: value for name, value in members.items() if value is not None}, kind)


def tier_sent(shop: Shop) -> dict[str, Any]:
    shop.clock += 1
    discount = {
        "type": "PERCENT",
        "percent_off": 10,
        "effect": shop.random.choice(["APPLY_TO_ORDER", "APPLY_TO_ITEMS"]),
    }
    return {
        "name": f"Tier {shop.clock}",
        "action": {"discount": discount},
        "validation_rules": shop.rules(),
        "expiration_date": shop.random.choice([None, "2036-01-01T00:00:00Z"]),
    }


def some_conditions(shop: Shop) -> dict[str, Any]:
    return {
        "1": {
            "name": "order.items.any",
            "conditions": {"$is": [{"id": shop.random.choice("ab"), "object": "product"}]},
        },
        "2": {"name": "customer.metadata", "property": shop.random.choice("xy"), "conditions": {"$is": ["z"]}},
        "3": {"name": "redemption.count.daily", "conditions": {"$less_than": [shop.random.randint(1, 3)]}},
        "logic": shop.random.choice(["1", "2", "1 and 2", "1 and 3", "1 or 2"]),
    }


def make_category(shop: Shop, unit: Unit) -> None:
    made = categories.create(unit, CategoryInput(name=f"C {shop.clock}", hierarchy=1))
    shop.made["category"].append(made.id)


def change_category(shop: Shop, unit: Unit) -> None:
    categories.update(unit, shop.any("category"), CategoryInput(name=f"C {shop.clock}", hierarchy=2))


def drop_category(shop: Shop, unit: Unit) -> None:
    gone = shop.any("category")
    categories.delete(unit, gone, _forget_category, remove_from_stacking_rules=False)
    shop.made["category"].remove(gone)


def make_rule(shop: Shop, unit: Unit) -> None:
    made = validation_rules.create(unit, sent(RuleInput, name=f"R {shop.clock}", rules=some_conditions(shop)))
    shop.made["rule"].append(made.id)


def change_rule(shop: Shop, unit: Unit) -> None:
    validation_rules.update(unit, shop.any("rule"), sent(RuleInput, rules=some_conditions(shop)))


def drop_rule(shop: Shop, unit: Unit) -> None:
    made = validation_rules.create(unit, sent(RuleInput, name=f"R {shop.clock}"))
    validation_rules.delete(unit, made.id)


def assign(shop: Shop, unit: Unit) -> None:
    kind, id = shop.random.choice([("promotion_tier", shop.any("tier")), ("campaign", shop.any("campaign"))])
    rule_id = shop.any("rule")
    asked = AssignmentInput(related_object_id=id, related_object_type=kind)  # type: ignore[arg-type]
    made = validation_rules.create_assignment(unit, rule_id, asked, _ruled_object, _note_rules, force=True)
    shop.made["assignment"].append(f"{rule_id} {made.id}")


def unassign(shop: Shop, unit: Unit) -> None:
    held = shop.any("assignment")
    rule_id, id = held.split()
    shop.made["assignment"].remove(held)
    if any(one.id == id for one in validation_rules.list_assignments(unit, NO_QUERY, rule_id).data):
        validation_rules.delete_assignment(unit, rule_id, id, _note_rules)


def make_promotion(shop: Shop, unit: Unit) -> None:
    body = {
        "name": f"P {shop.clock}",
        "campaign_type": "PROMOTION",
        "promotion": {"tiers": [tier_sent(shop) for _ in range(shop.random.randint(0, 3))]},
        "category_id": shop.category(),
        "validation_rules": shop.rules()[:1],
    }
    made = campaigns.create(unit, sent(CampaignCreate, **body), HOLDINGS)
    shop.made["campaign"].append(made.id)
    shop.made["tier"] += [one.id for one in promotions.list_of_campaign(unit, made.id).tiers]


def make_pool(shop: Shop, unit: Unit) -> None:
    body = {
        "name": f"D {shop.clock}",
        "campaign_type": "DISCOUNT_COUPONS",
        "voucher": {"type": "DISCOUNT_VOUCHER", "discount": {"type": "AMOUNT", "amount_off": 100}},
        "validation_rules": shop.rules()[:1],
        "join_once": shop.random.choice([True, False]),
    }
    shop.made["pool"].append(campaigns.create(unit, sent(CampaignCreate, **body), HOLDINGS).id)


def switch_campaign(shop: Shop, unit: Unit) -> None:
    key = shop.random.choice([*shop.made["campaign"], *shop.made["pool"]])
    campaigns.switch(unit, key, active=shop.random.random() < 0.7)


def change_campaign(shop: Shop, unit: Unit) -> None:
    key = shop.any("campaign")
    body = {"category_id": shop.category(), "start_date": shop.random.choice([None, "2020-01-01T00:00:00Z"])}
    campaigns.update(unit, key, sent(CampaignUpdate, **body), HOLDINGS)


def drop_campaign(shop: Shop, unit: Unit) -> None:
    kind = shop.random.choice([kind for kind in ("campaign", "pool") if shop.made[kind]])
    key = shop.any(kind)
    if kind == "campaign":
        gone = {one.id for one in promotions.list_of_campaign(unit, key).tiers}
        shop.made["tier"] = [id for id in shop.made["tier"] if id not in gone]
        held = {one.id for one in stacks.list_stacks(unit, NO_QUERY, key).data}
        shop.made["stack"] = [id for id in shop.made["stack"] if id.split()[1] not in held]
    campaigns.delete(unit, key, force=True)
    shop.made[kind].remove(key)


def make_tier(shop: Shop, unit: Unit) -> None:
    body = tier_sent(shop) | {"hierarchy": shop.place(), "category_id": shop.category()}
    shop.made["tier"].append(promotions.create(unit, shop.any("campaign"), sent(TierCreate, **body)).id)


def change_tier(shop: Shop, unit: Unit) -> None:
    body = {"name": f"T {shop.clock}", "hierarchy": shop.place(), "category_id": shop.category()}
    promotions.update(unit, shop.any("tier"), sent(TierUpdate, **body))


def switch_tier(shop: Shop, unit: Unit) -> None:
    promotions.switch(unit, shop.any("tier"), active=shop.random.random() < 0.7)


def drop_tier(shop: Shop, unit: Unit) -> None:
    gone = shop.any("tier")
    campaign_id = promotions.existing(unit, gone).campaign_id
    promotions.delete(unit, gone)
    shop.made["tier"].remove(gone)
    left = {one.id for one in stacks.list_stacks(unit, NO_QUERY, campaign_id).data}
    shop.made["stack"] = [id for id in shop.made["stack"] if id.split()[0] != campaign_id or id.split()[1] in left]


def tiers_of(shop: Shop, unit: Unit, campaign_id: str) -> list[str]:
    held = [one.id for one in promotions.list_of_campaign(unit, campaign_id).tiers]
    return shop.random.sample(held, shop.random.randint(1, len(held))) if held else []


def make_stack(shop: Shop, unit: Unit) -> None:
    key = shop.any("campaign")
    if tier_ids := tiers_of(shop, unit, key):
        body = {"name": f"S {shop.clock}", "tiers": {"ids": tier_ids}, "category_id": shop.category()}
        shop.made["stack"].append(f"{key} {stacks.create(unit, key, sent(StackCreate, **body)).id}")


def change_stack(shop: Shop, unit: Unit) -> None:
    key, id = shop.any("stack").split()
    body = {"tiers": {"ids": tiers_of(shop, unit, key)}, "category_id": shop.category()}
    stacks.update(unit, key, id, sent(StackUpdate, **body))


def drop_stack(shop: Shop, unit: Unit) -> None:
    held = shop.any("stack")
    stacks.delete(unit, *held.split())
    shop.made["stack"].remove(held)


def change_what_is_not_said(_shop: Shop, unit: Unit) -> None:
    definitions.changed(unit)


def change_something_else(_shop: Shop, unit: Unit) -> None:
    definitions.changed(unit, ("reward", definitions.ANY))


STEPS: dict[Callable[[Shop, Unit], None], tuple[str, ...]] = {
    make_category: (),
    change_category: ("category",),
    drop_category: ("category",),
    make_rule: (),
    change_rule: ("rule",),
    drop_rule: (),
    assign: ("rule", "tier", "campaign"),
    unassign: ("assignment",),
    make_promotion: (),
    make_pool: (),
    switch_campaign: ("campaign",),
    change_campaign: ("campaign",),
    drop_campaign: ("campaign",),
    make_tier: ("campaign",),
    change_tier: ("tier",),
    switch_tier: ("tier",),
    drop_tier: ("tier",),
    make_stack: ("campaign",),
    change_stack: ("stack",),
    drop_stack: ("stack",),
    change_what_is_not_said: (),
    change_something_else: (),
}
NO_QUERY = Query(b"")


def told(offers: Offers) -> dict[str, Any]:
    """All that is offered, in order, with what is asked for it."""
    found: dict[str, Any] = {
        name: [(one, shelf.get(getattr(one, "id", one)).entry) for one in shelf.that_may_apply(None)]
        for name, shelf in (("tiers", offers.tiers), ("campaigns", offers.campaigns), ("rules", offers.rules))
    }
    return found | {"stacks": dict(sorted(offers.stacks.items()))}


@pytest.mark.parametrize("seed", range(4))
def test_offers_are_after_every_change_as_if_put_together_anew(engine: Engine, seed: int) -> None:
    random = Random(seed)
    shop = Shop(engine, random)
    for _ in range(50):
        for _ in range(random.randint(1, 3)):
            shop.change()
        with engine.connect() as conn:
            project = current_project(conn, shop.project)
            followed = [offers_of(conn, project, scenario, shop.clock) for scenario in SCENARIOS]
            kept = definitions._kept.pop(project.id)
            anew = [offers_of(conn, project, scenario, shop.clock) for scenario in SCENARIOS]
            definitions._kept[project.id] = kept
        for mine, theirs in zip(followed, anew, strict=True):
            assert told(mine) == told(theirs)
            for name in ("properties", "collections", "segments"):
                assert getattr(mine.names, name) >= getattr(theirs.names, name)


def test_after_a_change_only_what_changed_is_read(engine: Engine) -> None:
    shop = Shop(engine, Random(1))
    with engine.begin() as conn:
        for _ in range(3):
            make_promotion(shop, shop.unit(conn))
        shop.made["tier"] or make_tier(shop, shop.unit(conn))
    read: list[str] = []

    def offers() -> list[str]:
        read.clear()
        with engine.connect() as conn:
            project = current_project(conn, shop.project)
            event.listen(conn, "before_cursor_execute", lambda *sent: read.append(sent[2]))
            offers_of(conn, project, "ALL", shop.clock)
        return [
            statement for statement in read if "FROM promotion_tiers" in statement or "validation_rules" in statement
        ]

    assert offers()
    assert not offers()
    with engine.begin() as conn:
        make_category(shop, shop.unit(conn))
    assert not offers()
    with engine.begin() as conn:
        switch_tier(shop, shop.unit(conn))
    assert len(offers()) <= 4
