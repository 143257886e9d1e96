"""How many points an order would earn in a program, without writing anything."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

import largesse.customers.service as customers
import largesse.vouchers.service as vouchers
from largesse.campaigns.model import StoredCampaign
from largesse.customers.model import CustomerInput, StoredCustomer
from largesse.engine.earning import awarded, is_open
from largesse.engine.order import Order, OrderInput
from largesse.kernel import definitions
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, invalid, invalid_payload
from largesse.kernel.events import new_event
from largesse.loyalties.earning.conditions import Judge
from largesse.loyalties.earning.model import ORDER_PAID, EstimateAnswer, EstimateInput, ProgramReference
from largesse.loyalties.earning.rules import EarningRule, of_events
from largesse.loyalties.earning.triggers import Trigger
from largesse.loyalties.lookups import existing_program
from largesse.loyalties.tiers import members
from largesse.vouchers.model import StoredVoucher

OrderOf: TypeAlias = Callable[[Unit, OrderInput], Order]  # (unit, as sent) → the order meant; raises ApiError 404


def of_order(unit: Unit, key: str, sent: EstimateInput, order_of: OrderOf) -> EstimateAnswer:
    """All points that a customer would get, with the tier they hold; also of an order that is paid already.

    Raises ApiError 404, 400 `invalid_payload`, `campaign_not_active`, `loyalty_card_not_active`, `campaign_not_allow_auto_join`.
    """
    if sent.customer is None:
        raise invalid_payload("Property .customer must be object")
    if sent.order is None:
        raise invalid_payload("Property .order must be object")
    campaign = existing_program(unit, key)
    _check_open(unit, campaign)
    customer, known = _customer(unit, sent.customer)
    card = _card(unit, campaign, customer.id if known else None)
    project = definitions.current(unit)
    rules = [one for one in of_events(unit.conn, project, [ORDER_PAID])[ORDER_PAID] if one.campaign_id == campaign.id]
    tier = members.of_cards(unit.conn, project, [card], unit.now).get(card.entry.id) if card else None
    mappings = members.earning_of(unit.conn, project, campaign.id, tier)
    trigger = _trigger(unit, customer, order_of(unit, sent.order))
    candidates: list[tuple[Trigger, EarningRule]] = [(trigger, rule) for rule in rules]
    judge = Judge.load(unit, project, candidates)
    at = judge.occasion(trigger, customer)
    points = sum(
        awarded(rule.earning, at, mappings.get(rule.id))
        for rule in rules
        if is_open(rule.window, rule.program, unit.now, project.zone) and judge.holds(rule, at)
    )
    return EstimateAnswer(campaign=ProgramReference(id=campaign.id, name=campaign.name), points_estimation=points)


def _check_open(unit: Unit, campaign: StoredCampaign) -> None:
    begun = campaign.start_date is None or campaign.start_date <= unit.now
    over = campaign.expiration_date is not None and campaign.expiration_date < unit.now
    if not campaign.active or not begun or over:
        raise invalid(
            "campaign_not_active", "Campaign is not active", f"The campaign {campaign.name} earns no points now"
        )


def _customer(unit: Unit, sent: CustomerInput) -> tuple[StoredCustomer, bool]:
    """The customer described, and whether they are known; nobody is created."""
    found = customers.find(unit.conn, unit.project, [sent], [None], lock=False)[0]
    if isinstance(found, ApiError):
        raise found
    described = msgspec.structs.replace(found) if found else None
    return customers.merged(described, sent, unit.project, unit.now), found is not None


def _card(unit: Unit, campaign: StoredCampaign, customer_id: str | None) -> StoredVoucher | None:
    """The customer's card, None for one who would join. Raises ApiError 400 where neither may earn."""
    mine = vouchers.cards_of_holders(unit.conn, unit.project_id, [customer_id], lock=False) if customer_id else []
    card = next((stored for stored in mine if stored.entry.campaign_id == campaign.id), None)
    if card is None:
        if not campaign.auto_join:
            details = "The customer has no card of this program, and it does not let customers join by themselves"
            raise invalid("campaign_not_allow_auto_join", "Campaign does not allow auto join", details)
        return None
    entry = card.entry
    begun = entry.start_date is None or entry.start_date <= unit.now
    if not entry.active or not begun or (entry.expiration_date is not None and entry.expiration_date < unit.now):
        raise invalid("loyalty_card_not_active", "Loyalty card is not active", entry.code)
    vouchers.open_wallets(unit.conn, unit.project, [card], unit.now)
    return card


def _trigger(unit: Unit, customer: StoredCustomer, order: Order) -> Trigger:
    event = new_event(unit.call, "customer.order.paid", order.id or "", {}, customer.id)
    return Trigger(
        unit=unit, event=event, customer_id=customer.id, name=ORDER_PAID, cause_id=order.id or event.id, order=order
    )
