"""Background jobs: done slice by slice, each effect once, in turn, and given up when they must be."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from largesse.kernel import clock, errors
from largesse.kernel.database.unit import Unit
from largesse.kernel.jobs import claims, queue, worker
from largesse.kernel.jobs.claims import ATTEMPTS, LEASE, Claim
from largesse.kernel.jobs.model import Done, Job, Kind, Progress
from tests.jobs.workshop import Workshop, kind, note, one_by_one


@pytest.fixture(scope="module")
def shop(store: str) -> Iterator[Workshop]:
    workshop = Workshop(store)
    yield workshop
    workshop.database.close()


@pytest.fixture
def one_slice_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "TURN_SECONDS", 0)


def test_a_job_is_done_slice_by_slice_and_shows_its_progress(shop: Workshop, one_slice_a_turn: None) -> None:
    counting = kind()
    hand = shop.worker({counting: one_by_one})
    id = shop.enqueue(counting, total=3)
    seen = [(shop.job(id).status, shop.job(id).percent)]
    while shop.round(hand):
        seen.append((shop.job(id).status, shop.job(id).percent))
    assert seen == [("ENQUEUED", 0), ("IN_PROGRESS", 33), ("IN_PROGRESS", 66), ("IN_PROGRESS", 99), ("DONE", 100)]
    done = shop.job(id)
    assert (done.operation_status, done.result) == ("SUCCESS", {"message": "Noted 3 items.", "done_count": 3})
    assert shop.noted(id) == [0, 1, 2]


def test_a_slice_acts_for_the_request_that_started_its_job(shop: Workshop) -> None:
    calls = []
    asking = kind()

    def ask(unit: Unit, job: Job) -> Done:
        calls.append(unit.call)
        return Done(result={})

    shop.enqueue(asking)
    shop.finish(shop.worker({asking: ask}))
    [call] = calls
    assert (call.project, call.caller, call.request_id, call.channel) == (
        shop.project,
        shop.call().caller,
        "v-1",
        "Shop",
    )
    assert call.now > shop.now - clock.SECOND


def test_a_job_of_which_nothing_could_be_done_is_done_without_success(shop: Workshop) -> None:
    failing = kind()
    id = shop.enqueue(failing)
    shop.finish(shop.worker({failing: lambda unit, job: Done(result={"failed_count": 2}, success=False)}))
    done = shop.job(id)
    assert (done.status, done.operation_status, done.result) == ("DONE", "FAILED", {"failed_count": 2})


def test_a_job_exists_only_if_its_transaction_was_committed(shop: Workshop) -> None:
    with shop.database.writer.connect() as conn, conn.begin() as transaction:
        id = queue.enqueue(Unit(conn, shop.call()), kind(), {})
        transaction.rollback()
    with shop.database.reader.connect() as conn:
        assert queue.get(conn, shop.project.id, id) is None


def test_jobs_of_one_queue_follow_each_other_and_others_do_not_wait(shop: Workshop, one_slice_a_turn: None) -> None:
    counting, order = kind(), []

    def count(unit: Unit, job: Job) -> Progress | Done:
        order.append(job.id)
        return one_by_one(unit, job)

    hand = shop.worker({counting: count})
    first, second = (shop.enqueue(counting, queue="campaign", total=2) for _ in range(2))
    alone = shop.enqueue(counting, total=2)
    shop.finish(hand)
    assert [id for id in order if id != alone] == [first] * 3 + [second] * 3
    assert [id for id in order if id != second] == [first, alone] * 3


def test_projects_take_turns_however_many_jobs_one_of_them_has(shop: Workshop, one_slice_a_turn: None) -> None:
    counting, order = kind(), []

    def count(unit: Unit, job: Job) -> Progress | Done:
        order.append(unit.project_id)
        return one_by_one(unit, job)

    other = shop.new_project()
    for _ in range(5):
        shop.enqueue(counting, total=1)
    shop.enqueue(counting, project=other, total=1)
    shop.finish(shop.worker({counting: count}))
    assert order[:4] == [shop.project.id, other.id] * 2


def test_what_failed_unexpectedly_is_tried_again_after_growing_pauses(shop: Workshop) -> None:
    flaky, tries = kind(), []

    def step(unit: Unit, job: Job) -> Progress | Done:
        tries.append(shop.now)
        note(unit, job, len(tries))
        if len(tries) < 4:
            raise RuntimeError("secret")
        return Done(result={})

    hand = shop.worker({flaky: step})
    id = shop.enqueue(flaky)
    for pause in (1, 2, 4):
        assert shop.round(hand)
        assert not shop.round(hand)
        assert (shop.job(id).status, shop.job(id).operation_status) == ("IN_PROGRESS", "UNKNOWN")
        assert "secret" in shop.column(id, "last_error")
        due = shop.column(id, "due_at")
        assert pause * clock.SECOND // 2 - 10 <= due - tries[-1] <= pause * clock.SECOND
        shop.now = due
    shop.finish(hand)
    assert (shop.job(id).status, shop.noted(id)) == ("DONE", [4])


def test_a_job_that_always_fails_is_given_up(shop: Workshop) -> None:
    hopeless, tries = kind(), []

    def step(unit: Unit, job: Job) -> Progress | Done:
        tries.append(job.id)
        raise RuntimeError("secret")

    def given_up(unit: Unit, job: Job, message: str) -> None:
        note(unit, job, -1)

    hand = shop.worker({hopeless: Kind(step, given_up)})
    id = shop.enqueue(hopeless, queue="hopeless")
    after = shop.enqueue(hopeless, queue="hopeless")
    while not shop.noted(id):
        shop.round(hand)
        shop.now += 10 * clock.MINUTE
    failed = shop.job(id)
    assert tries.count(id) == ATTEMPTS
    assert (failed.status, failed.operation_status) == ("FAILED", "FAILED")
    assert failed.result == {
        "message": "Given up after 8 attempts that failed unexpectedly; the server's log says why."
    }
    assert shop.job(after).status == "ENQUEUED"
    shop.round(hand)
    assert shop.job(after).status == "IN_PROGRESS"


def test_only_failures_in_a_row_count(shop: Workshop) -> None:
    unlucky, tries = kind(), []

    def step(unit: Unit, job: Job) -> Progress | Done:
        tries.append(job.done)
        if len(tries) % 3:
            raise RuntimeError
        return one_by_one(unit, job)

    hand = shop.worker({unlucky: step})
    id = shop.enqueue(unlucky, total=ATTEMPTS)
    while shop.job(id).status != "DONE":
        shop.round(hand)
        shop.now += 10 * clock.MINUTE
    assert len(tries) == 3 * (ATTEMPTS + 1)
    assert shop.noted(id) == list(range(ATTEMPTS))


def test_a_store_that_cannot_take_the_work_counts_against_nobody(shop: Workshop) -> None:
    waiting, tries = kind(), []

    def step(unit: Unit, job: Job) -> Done:
        tries.append(job.id)
        if len(tries) <= 2 * ATTEMPTS:
            raise errors.overloaded()
        return Done(result={})

    hand = shop.worker({waiting: step})
    id = shop.enqueue(waiting)
    while shop.job(id).status != "DONE":
        shop.round(hand)
        shop.now += clock.SECOND
    assert len(tries) == 2 * ATTEMPTS + 1


def test_a_refusal_ends_the_job_at_once_and_says_why(shop: Workshop) -> None:
    refused, seen = kind(), []

    def step(unit: Unit, job: Job) -> Progress | Done:
        if job.done:
            note(unit, job, 99)
            raise errors.not_found("campaign", "camp_1")
        return one_by_one(unit, job)

    def given_up(unit: Unit, job: Job, message: str) -> None:
        seen.append((job.id, job.done, message))

    id = shop.enqueue(refused, total=4)
    shop.finish(shop.worker({refused: Kind(step, given_up)}))
    failed = shop.job(id)
    assert (failed.status, failed.operation_status, failed.percent) == ("FAILED", "FAILED", 25)
    assert failed.result == {"message": "Cannot find campaign with id camp_1"}
    assert seen == [(id, 1, "Cannot find campaign with id camp_1")]
    assert shop.noted(id) == [0]


def test_a_job_ends_even_when_what_should_follow_fails(shop: Workshop) -> None:
    refused = kind()

    def step(unit: Unit, job: Job) -> Done:
        raise errors.not_found("campaign", "camp_1")

    def given_up(unit: Unit, job: Job, message: str) -> None:
        note(unit, job, 1)
        raise RuntimeError

    id = shop.enqueue(refused)
    shop.finish(shop.worker({refused: Kind(step, given_up)}))
    assert (shop.job(id).status, shop.noted(id)) == ("FAILED", [])


def claimed(shop: Workshop, queue: str, counting: str, holder: str) -> Claim | None:
    return asyncio.run(
        shop.database.write(shop.call(), lambda unit: claims.claim(unit, queue, holder, [counting])),
    )


def test_a_worker_that_fell_silent_is_replaced_and_can_do_no_more(shop: Workshop) -> None:
    counting = kind()
    id = shop.enqueue(counting, queue="silent", total=1)
    silent = claimed(shop, "silent", counting, "silent")
    assert silent is not None
    hand = shop.worker({counting: one_by_one})
    shop.now += LEASE - 10
    assert not shop.round(hand)
    shop.now += 20
    shop.finish(hand)
    assert shop.job(id).status == "DONE"

    def late(unit: Unit) -> Any:
        return claims.run_slice(unit, silent, Kind(one_by_one), 1, lambda: True)

    assert asyncio.run(shop.database.write(shop.call(), late)) is None
    asyncio.run(shop.database.write(shop.call(), lambda unit: claims.put_back(unit, silent, "late", 1, 0)))
    asyncio.run(shop.database.write(shop.call(), lambda unit: claims.give_up(unit, silent, "late", "late", None)))
    assert (shop.job(id).status, shop.noted(id)) == ("DONE", [0])


def test_a_job_that_ends_every_process_that_tries_it_is_given_up(shop: Workshop) -> None:
    deadly = kind()
    id = shop.enqueue(deadly, queue="deadly", total=1)
    for n in range(ATTEMPTS):
        assert claimed(shop, "deadly", deadly, f"victim {n}")
        shop.now += LEASE + 1
    shop.finish(shop.worker({deadly: one_by_one}))
    assert (shop.job(id).status, shop.noted(id)) == ("FAILED", [])


def test_a_claim_made_again_after_a_lost_answer_is_the_same(shop: Workshop) -> None:
    counting = kind()
    shop.enqueue(counting, queue="again", total=0)
    first, second = claimed(shop, "again", counting, "one"), claimed(shop, "again", counting, "one")
    assert first is not None
    assert first == second
    assert claimed(shop, "again", counting, "another") is None
    shop.now += LEASE + 1
    shop.finish(shop.worker({counting: one_by_one}))


@contextmanager
def locked(shop: Workshop, job: str) -> Iterator[None]:
    """Within it somebody else holds the job's row."""
    lock = text("SELECT id FROM jobs WHERE project_id = :project AND id = :id FOR UPDATE")
    with shop.database.writer.connect() as conn, conn.begin():
        conn.execute(lock, {"project": shop.project.id, "id": job})
        yield


def test_a_job_in_other_hands_is_not_passed_over_for_the_next(shop: Workshop) -> None:
    if shop.database.embedded:
        pytest.skip("the embedded store has one writer")
    counting = kind()
    first, _ = (shop.enqueue(counting, queue="in turn", total=1) for _ in range(2))
    with locked(shop, first):
        assert claimed(shop, "in turn", counting, "rival") is None
    taken = claimed(shop, "in turn", counting, "rival")
    assert taken is not None
    assert taken.id == first
    # Nor does one who may not have it stand in the way of the one who has.
    with shop.database.writer.connect() as conn, conn.begin():
        assert claims.claim(Unit(conn, shop.call()), "in turn", "late", [counting]) is None
        assert claimed(shop, "in turn", counting, "rival") == taken
    shop.now += LEASE + 1
    shop.finish(shop.worker({counting: one_by_one}))


def test_a_queue_that_is_not_to_be_had_holds_up_no_other_of_its_project(shop: Workshop) -> None:
    if shop.database.embedded:
        pytest.skip("the embedded store has one writer")
    counting = kind()
    held, free = shop.enqueue(counting, queue="held", total=1), shop.enqueue(counting, queue="free", total=1)
    hand = shop.worker({counting: one_by_one})
    with locked(shop, held):
        shop.finish(hand)
        assert (shop.job(held).status, shop.job(free).status) == ("ENQUEUED", "DONE")
    shop.finish(hand)
    assert shop.job(held).status == "DONE"


def test_of_two_jobs_of_one_queue_only_one_can_be_started(shop: Workshop) -> None:
    if shop.database.embedded:
        pytest.skip("the embedded store has one writer")
    counting, answers = kind(), []
    with shop.database.writer.connect() as conn:
        with conn.begin():
            queue.enqueue(Unit(conn, shop.call()), counting, {}, queue="rivals", total=1)
            shop.enqueue(counting, queue="rivals", total=1)
            starting = shop.database.writer.connect()
            claim = claims.claim(Unit(starting, shop.call()), "rivals", "first", [counting])
            assert claim is not None
        # Now there is an earlier one, and the rival wants to start it: it has to wait for what becomes of the other.
        rival = threading.Thread(target=lambda: answers.append(claimed(shop, "rivals", counting, "rival")))
        rival.start()
        rival.join(0.3)
        assert rival.is_alive()
        starting.commit()
        starting.close()
    rival.join(30)
    assert answers == [None]
    shop.now += LEASE + 1
    shop.finish(shop.worker({counting: one_by_one}))


def test_a_kind_that_a_worker_does_not_know_is_left_to_others(shop: Workshop) -> None:
    known, unknown = kind(), kind()
    left, done = shop.enqueue(unknown), shop.enqueue(known)
    shop.finish(shop.worker({known: one_by_one}))
    assert (shop.job(left).status, shop.job(done).status) == ("ENQUEUED", "DONE")


def test_slices_grow_while_they_are_short(shop: Workshop) -> None:
    many, batches = kind(), []

    def step(unit: Unit, job: Job) -> Progress | Done:
        batches.append(job.batch)
        done = min(job.total, job.done + job.batch)
        return Done(result={}) if done == job.total else Progress(state={}, done=done)

    id = shop.enqueue(many, total=50_000)
    shop.finish(shop.worker({many: step}))
    assert batches[0] == worker.FIRST_BATCH
    assert worker.FIRST_BATCH < max(batches) <= worker.MOST_ITEMS
    assert shop.job(id).status == "DONE"


def test_an_idle_worker_notices_a_new_job_without_polling(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "POLL_SECONDS", 3600)
    counting = kind()
    hand = shop.worker({counting: one_by_one})

    async def story() -> str:
        running = asyncio.create_task(hand.run())
        await asyncio.sleep(0.1)
        id = await asyncio.to_thread(shop.enqueue, counting, total=2)
        while shop.job(id).status != "DONE":
            await asyncio.sleep(0.01)
        hand.stop()
        await running
        return id

    assert shop.noted(asyncio.run(asyncio.wait_for(story(), 60))) == [0, 1]


def test_a_worker_told_to_stop_finishes_its_slice_and_leaves_the_rest(shop: Workshop) -> None:
    counting = kind()

    def step(unit: Unit, job: Job) -> Progress | Done:
        if job.done == 1:
            stopping.stop()
        return one_by_one(unit, job)

    stopping = shop.worker({counting: step})
    id = shop.enqueue(counting, total=5)
    asyncio.run(asyncio.wait_for(stopping.run(), 60))
    assert (shop.job(id).status, shop.noted(id)) == ("IN_PROGRESS", [0, 1])
    shop.finish(shop.worker({counting: one_by_one}))
    assert (shop.job(id).status, shop.noted(id)) == ("DONE", [0, 1, 2, 3, 4])


def test_a_worker_survives_a_store_that_does_not_answer(shop: Workshop) -> None:
    counting = kind()
    hand = shop.worker({counting: one_by_one})
    look_up, failures = shop.database.look_up, []

    async def failing(function: Any) -> Any:
        if len(failures) < 3:
            failures.append(function)
            hand._on_hint()
            raise OSError("gone")
        return await look_up(function)

    async def story() -> None:
        shop.database.look_up = failing  # type: ignore[method-assign]
        running = asyncio.create_task(hand.run())
        while shop.job(id).status != "DONE":
            await asyncio.sleep(0.01)
        hand.stop()
        await running

    id = shop.enqueue(counting, total=1)
    try:
        asyncio.run(asyncio.wait_for(story(), 60))
    finally:
        del shop.database.look_up  # type: ignore[method-assign]
    assert len(failures) == 3


def test_unfinished_jobs_are_counted_by_status(shop: Workshop) -> None:
    with shop.database.reader.connect() as conn:
        before = claims.unfinished(conn).get("ENQUEUED", 0)
    shop.enqueue(kind())
    with shop.database.reader.connect() as conn:
        assert claims.unfinished(conn)["ENQUEUED"] == before + 1
