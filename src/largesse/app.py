"""The composition root: settings → database → services → one ASGI application."""

import asyncio
import gc
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import unquote

from litestar import Litestar, Response, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

import largesse.assets.routes
import largesse.async_actions.routes
import largesse.audit.routes
import largesse.bin.routes
import largesse.campaigns.jobs
import largesse.campaigns.routes
import largesse.campaigns.service
import largesse.categories.routes
import largesse.custom_events.routes
import largesse.custom_events.service
import largesse.customers.exporting
import largesse.customers.routes
import largesse.exports.jobs
import largesse.exports.routes
import largesse.locations.routes
import largesse.loyalties.autoredeem
import largesse.loyalties.cards.routes
import largesse.loyalties.cards.service
import largesse.loyalties.earning.routes
import largesse.loyalties.earning.service
import largesse.loyalties.holdings
import largesse.loyalties.member_routes
import largesse.loyalties.program_routes
import largesse.loyalties.reaction
import largesse.loyalties.tiers.changing
import largesse.loyalties.tiers.members
import largesse.loyalties.tiers.routes
import largesse.management.routes
import largesse.metadata_schemas.routes
import largesse.oauth.routes
import largesse.orders.exporting
import largesse.orders.routes
import largesse.orders.service
import largesse.points.hooks
import largesse.points.service
import largesse.product_collections.routes
import largesse.products.exporting
import largesse.products.routes
import largesse.products.service
import largesse.promotions.routes
import largesse.promotions.service
import largesse.publications.exporting
import largesse.publications.routes
import largesse.publications.service
import largesse.redemptions.automatic
import largesse.redemptions.exporting
import largesse.redemptions.routes
import largesse.redemptions.service
import largesse.rewards.assigning
import largesse.rewards.routes
import largesse.rewards.service
import largesse.segments.clock
import largesse.segments.jobs
import largesse.segments.reaction
import largesse.segments.routes
import largesse.segments.service
import largesse.summaries.routes
import largesse.validation_rules.routes
import largesse.validation_rules.service
import largesse.vouchers.campaign_routes
import largesse.vouchers.exporting
import largesse.vouchers.exporting_codes
import largesse.vouchers.pool
import largesse.vouchers.routes
import largesse.vouchers.service
import largesse.wallets.exporting
from largesse.campaigns.holdings import Holdings
from largesse.campaigns.model import DISCOUNT_COUPONS, GIFT_VOUCHERS, LOYALTY_PROGRAM, PROMOTION
from largesse.kernel import clock
from largesse.kernel.access.authentication import Authenticator
from largesse.kernel.database.database import Database
from largesse.kernel.database.reactions import Reactions
from largesse.kernel.database.unit import Unit
from largesse.kernel.errors import ApiError, not_found
from largesse.kernel.exporting import Source
from largesse.kernel.http import failures
from largesse.kernel.http.docs import docs_routes
from largesse.kernel.http.edge import ENCODED, Edge
from largesse.kernel.http.limits import Limits
from largesse.kernel.http.request import ApiRequest
from largesse.kernel.jobs.model import Chore, Kind
from largesse.kernel.jobs.worker import Worker
from largesse.kernel.settings import Settings
from largesse.loyalties.holdings import ProgramHoldings
from largesse.loyalties.standings import held_by
from largesse.promotions.service import TierHoldings
from largesse.vouchers.pool import CodeHoldings


def _purge(unit: Unit, resource_type: str, resource_id: str) -> None:
    """Removes a binned object for good: each room knows how for its own."""
    if resource_type == "voucher":
        largesse.vouchers.service.purge(unit, resource_id)
    elif resource_type == "campaign":
        largesse.campaigns.service.purge(unit, resource_id)
    else:
        largesse.products.service.purge(unit, resource_type, resource_id)


def _forget_customer(unit: Unit, customer_id: str) -> int:
    """What rooms above keep of a deleted customer; answers how many orders there were."""
    largesse.publications.service.forget_customer(unit, customer_id)
    largesse.loyalties.tiers.members.forget_customer(unit, customer_id)
    largesse.custom_events.service.remove_of_customer(unit, customer_id)
    return largesse.orders.service.remove_of_customer(unit, customer_id)


def _forget_category(unit: Unit, category_id: str) -> None:
    """A deleted category leaves every object that carried it without one."""
    largesse.vouchers.service.forget_category(unit, category_id)
    largesse.campaigns.service.forget_category(unit, category_id)
    largesse.promotions.service.forget_category(unit, category_id)


def _ruled_object(unit: Unit, object_type: str, key: str) -> str:
    """The id of what a validation rule is to be assigned to; each room knows its own. Raises ApiError 404."""
    if object_type == "voucher":
        return largesse.vouchers.service.id_of(unit, key)
    if object_type == "campaign":
        return largesse.campaigns.service.find(unit, key).id
    if object_type == "promotion_tier":
        return largesse.promotions.service.id_of(unit, key)
    if object_type == "earning_rule":
        return largesse.loyalties.earning.service.existing_id(unit, key)
    if object_type == "reward_assignment":
        return largesse.rewards.assigning.existing_id(unit, key)
    raise not_found(object_type, key)


def _note_rules(unit: Unit, voucher_id: str, rule_ids: list[str]) -> None:
    """A voucher whose rules changed knows them by heart, and what they count begins anew."""
    largesse.vouchers.service.note_rules(unit, voucher_id, rule_ids)
    largesse.redemptions.service.forget_sums(unit, voucher_id)


def _check_segment_unused(unit: Unit, kind: str, segment_id: str) -> None:
    """Refuses to let go of a segment that a rule names or that points are earned by. Raises ApiError 400."""
    largesse.validation_rules.service.check_unused(unit, kind, segment_id)
    largesse.loyalties.earning.service.check_unused(unit, kind, segment_id)


def _check_item_unused(unit: Unit, kind: str, item_id: str) -> None:
    """Refuses to let go of a product or SKU that a rule names or that is a reward. Raises ApiError 400."""
    largesse.validation_rules.service.check_unused(unit, kind, item_id)
    largesse.rewards.service.check_unused(unit, kind, item_id)


# What campaigns of each type hold.
HOLDINGS: dict[str, Holdings] = {
    DISCOUNT_COUPONS: CodeHoldings(largesse.publications.service.remove_of_vouchers),
    GIFT_VOUCHERS: CodeHoldings(largesse.publications.service.remove_of_vouchers),
    LOYALTY_PROGRAM: ProgramHoldings(),
    PROMOTION: TierHoldings(),
}

# What can be exported.
SOURCES: dict[str, Source] = {
    "voucher": largesse.vouchers.exporting_codes.VOUCHERS,
    "redemption": largesse.redemptions.exporting.REDEMPTIONS,
    "customer": largesse.customers.exporting.make_source(held_by),
    "publication": largesse.publications.exporting.PUBLICATIONS,
    "order": largesse.orders.exporting.ORDERS,
    "product": largesse.products.exporting.PRODUCTS,
    "sku": largesse.products.exporting.SKUS,
    "voucher_transactions": largesse.vouchers.exporting.TRANSACTIONS,
    "points_expiration": largesse.wallets.exporting.EXPIRATIONS,
}

ROUTES: list[HTTPRouteHandler] = [
    *largesse.assets.routes.routes,
    *largesse.async_actions.routes.routes,
    *largesse.audit.routes.routes,
    *largesse.bin.routes.make_routes(_purge),
    *largesse.campaigns.routes.make_routes(HOLDINGS),
    *largesse.categories.routes.make_routes(_forget_category),
    *largesse.custom_events.routes.routes,
    *largesse.customers.routes.make_routes(
        _forget_customer,
        largesse.segments.service.forget_customer,
        partial(largesse.segments.service.is_member, held_by=held_by),
        held_by,
        largesse.redemptions.service.records_of_campaigns,
    ),
    *largesse.exports.routes.make_routes(SOURCES),
    *largesse.loyalties.cards.routes.make_routes(largesse.redemptions.service.records_of_voucher),
    *largesse.locations.routes.make_routes(largesse.segments.service.location_moved),
    *largesse.loyalties.member_routes.routes,
    *largesse.loyalties.program_routes.make_routes(HOLDINGS),
    *largesse.loyalties.earning.routes.make_routes(largesse.orders.service.preview),
    *largesse.loyalties.tiers.routes.routes,
    *largesse.management.routes.routes,
    *largesse.metadata_schemas.routes.routes,
    *largesse.oauth.routes.routes,
    *largesse.orders.routes.routes,
    *largesse.product_collections.routes.make_routes(largesse.validation_rules.service.check_unused),
    *largesse.products.routes.make_routes(_check_item_unused),
    *largesse.promotions.routes.routes,
    *largesse.publications.routes.routes,
    *largesse.redemptions.routes.routes,
    *largesse.rewards.routes.routes,
    *largesse.segments.routes.make_routes(_check_segment_unused, held_by),
    *largesse.summaries.routes.routes,
    *largesse.validation_rules.routes.make_routes(_ruled_object, _note_rules),
    *largesse.vouchers.campaign_routes.routes,
    *largesse.vouchers.routes.make_routes(
        largesse.loyalties.holdings.forget_cards, largesse.loyalties.cards.service.change_voucher_balance
    ),
]

# How the background jobs of each kind are done.
KINDS: dict[str, Kind] = (
    largesse.vouchers.pool.KINDS
    | largesse.campaigns.jobs.kinds(HOLDINGS)
    | largesse.segments.jobs.kinds(held_by)
    | largesse.loyalties.tiers.changing.KINDS
    | largesse.loyalties.autoredeem.kinds(largesse.redemptions.automatic.redeem)
    | largesse.exports.jobs.kinds(SOURCES)
)


# What time brings, whether or not somebody asks.
CHORES: list[Chore] = [
    largesse.points.service.CALENDAR,
    largesse.loyalties.tiers.members.CALENDAR,
    largesse.loyalties.autoredeem.make_chore(largesse.redemptions.automatic.redeem),
    largesse.segments.clock.make_chore(held_by),
    largesse.redemptions.service.ENDED_SUMS,
    largesse.exports.jobs.ENDED,
]


# What rooms do about what others did, in the same transaction, in this order.
REACTIONS: Reactions = (
    largesse.segments.reaction.make_reaction(held_by),
    largesse.loyalties.reaction.make_reaction(largesse.redemptions.automatic.redeem),
)


# What the points that the calendar made usable are spent on before others expire.
largesse.points.hooks.after_activation[:] = [
    largesse.loyalties.reaction.make_hook(largesse.redemptions.automatic.redeem)
]


def create_app(settings: Settings) -> ASGIApp:
    """The server's application; owns its database from start-up to shutdown."""
    clock.run_ahead(settings.clock_ahead_seconds)
    database = Database(settings, REACTIONS)
    authenticator = Authenticator(database, settings)

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        database.start()
        # What start-up made lives for ever: looking at it in every collection costs latency and finds nothing.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        worker = Worker(database, KINDS, CHORES)
        working = {asyncio.create_task(worker.run())} if settings.run_jobs else set()
        yield
        worker.stop()
        if working:
            await asyncio.wait(working, timeout=settings.shutdown_seconds)
        database.close()

    handlers = [*ROUTES, *_health_routes(database), *docs_routes(ROUTES, settings.base_url)]
    app = Litestar(
        handlers,
        request_class=ApiRequest,
        middleware=[_DecodedPath],
        exception_handlers={
            ApiError: failures.on_api_error,
            HTTPException: failures.on_http_exception,
            Exception: failures.on_exception,
        },
        lifespan=[lifespan],
        openapi_config=None,
        request_max_body_size=None,  # the edge counts bytes as they come
        state=State(
            {"settings": settings, "database": database, "authenticator": authenticator, "methods": _methods(handlers)}
        ),
        logging_config=None,
    )
    return Edge(
        app,
        ROUTES,
        authenticator,
        Limits(settings),
        trust_proxy=settings.trust_proxy,
        request_seconds=settings.request_seconds,
    )


def _methods(handlers: list[HTTPRouteHandler]) -> list[tuple[re.Pattern[str], list[str]]]:
    """For each path the methods it takes, as an answer 405 names them."""
    found: dict[str, list[str]] = {}
    for handler in handlers:
        for path in handler.paths:
            found.setdefault(re.sub(r"\\?\{\w+:str\\?\}", "[^/]+", re.escape(path)), []).extend(
                sorted(handler.http_methods)
            )
    return [(re.compile(pattern), methods) for pattern, methods in found.items()]


def _health_routes(database: Database) -> list[HTTPRouteHandler]:
    @get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @get("/readyz")
    async def readyz() -> Response[dict[str, str]]:
        ready = await database.is_ready()
        return Response({"status": "ready" if ready else "store unreachable"}, status_code=200 if ready else 503)

    @get("/metrics")
    async def metrics() -> Response[bytes]:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [healthz, readyz, metrics]


class _DecodedPath:
    """Decodes path parameters after routing, where the edge kept them as sent: `%2F` belongs to a code, not to the path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if ENCODED in scope:
            scope["path_params"] = {name: _decoded(value) for name, value in scope["path_params"].items()}
        await self._app(scope, receive, send)


def _decoded(value: Any) -> str:
    try:
        text = unquote(str(value), errors="strict")
    except UnicodeDecodeError:
        raise not_found("resource", str(value)) from None
    if "\0" in text:
        raise not_found("resource", str(value))
    return text
