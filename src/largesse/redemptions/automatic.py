"""Rewards that programs redeem by themselves: decided, recorded and undone like those that somebody asks for."""

import msgspec

from largesse.customers.model import Counts, CustomerInput
from largesse.engine.books import Ask
from largesse.engine.decision import commit, decide
from largesse.engine.rewards import Assignment, Offer
from largesse.kernel import definitions, ids
from largesse.kernel.call import Call
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError
from largesse.points.cards import Cards
from largesse.redemptions.books import Books
from largesse.redemptions.evaluation import Case, Evaluation, circumstances, rewards_of, tallies_of
from largesse.redemptions.model import AUTO_REDEEM, RedeemableInput, RewardInput, StackableRequest
from largesse.redemptions.redemption import child
from largesse.redemptions.rewarding import Issued, issue
from largesse.redemptions.wanted import Wanted
from largesse.vouchers.model import StoredVoucher


def redeem(unit: Unit, cards: Cards, stored: StoredVoucher, assignment: Assignment, quantity: int, points: int) -> bool:
    """Redeems a reward `quantity` times at once for so many points, which are spent through `cards`, for the caller to save.

    Where there is not so much of it, as much as there is. False, and nothing changed, where it cannot be redeemed at all. The
    card and its holder are locked by the caller.
    """
    body = StackableRequest(
        redeemables=[RedeemableInput(object="voucher", id=stored.entry.id, reward=RewardInput(id=assignment.reward.id))]
    )
    holder = CustomerInput(id=stored.entry.holder_id)
    project = definitions.current(unit)
    books = Books(unit.conn, project, [Wanted(customer=holder)], unit.now, lock=True)
    books.take_card(stored, cards, unit.now)
    customer = books.customer(0, holder)
    [ask] = books.asks(body.redeemables[0])
    case = Case([ask], customer, False, None, None)
    # What is counted by key is counted by the assignment, which is the channel of the redemption.
    call = msgspec.structs.replace(unit.call, caller=msgspec.structs.replace(unit.call.caller, key_id=assignment.id))
    books.load_sums(tallies_of(case, call), lock=True)
    books.load_counters(rewards_of(case), lock=True)
    left = books.stocks.get(assignment.reward.id, quantity)
    for times in dict.fromkeys((min(quantity, left), 1)):
        if times and _redeemed(books, unit, call, body, case, _at_once(ask, assignment, times, points // quantity)):
            return True
    return False


def _at_once(ask: Ask, assignment: Assignment, times: int, price: int) -> Ask:
    offer = Offer(
        reward_id=assignment.reward.id,
        assignment=assignment,
        price=times * price,
        tier_id=ask.offer.tier_id if ask.offer else None,
        times=times,
    )
    return msgspec.structs.replace(ask, offer=offer)


def _redeemed(books: Books, unit: Unit, call: Call, body: StackableRequest, case: Case, ask: Ask) -> bool:
    decision = decide([ask], None, circumstances(books, call, body, case.customer, None))
    if decision.failure is not None or case.customer is None or ask.voucher is None or ask.offer is None:
        return False
    known = books.cards.known()
    issued: dict[str, Issued] = {}
    try:
        with unit.attempt():
            issued[ask.voucher.id] = issue(books, unit, case.customer, ask.offer, "", ask.offer.times)
    except ApiError:  # its campaign has not so many codes left
        books.cards.forget_all_but(known)
        return False
    evaluation = Evaluation([ask], case.customer, False, None, None, decision)
    commit(decision, None, books.budgets, books.tallies, books.stocks)
    channel = (AUTO_REDEEM, ask.offer.assignment.id if ask.offer.assignment else "")
    record = child(books, unit, body, evaluation, decision.outcomes[0], ids.hex_id("r_"), None, None, issued, channel)
    books.records.append(record)
    books.note_decision(record.id, decision)
    books.count(case.customer, Counts(total_succeeded=1))
    books.save([unit], unit.now)
    return True
