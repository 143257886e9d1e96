"""Many clients at the same time."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.servers import Server

CROWD = 32


def at_once(shop: Server, count: int, act: Callable[[httpx.Client, int], httpx.Response]) -> list[httpx.Response]:
    """The answers of `count` clients, each with its own connection, acting at the same time."""

    def one(place: int) -> httpx.Response:
        with shop.client_for(shop.keys) as client:
            client.get("/healthz")
            return act(client, place)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def outcomes(responses: list[httpx.Response]) -> Counter[Any]:
    return Counter("ok" if r.status_code == 200 else r.json()["key"] for r in responses)
