"""Many threads or tasks that use one pool at the same time."""

from threading import Barrier, Event, Thread

import anyio
import httpx
import pytest

from tests.runtime_client.clients import each_loop
from tests.runtime_client.loopback import Loopback, always, response
from tests.runtime_client.pools import PATIENCE, PooledTransport, async_pool, counts, limited


class TestStorms:
    def test_threads(self):
        """If there are more threads than connections allowed, all requests succeed, and the limit
        is not exceeded.
        """
        with Loopback(always(b"hi")) as server:
            transport = PooledTransport(limits=limited(4))
            start, answers = Barrier(32), []

            def calls(client):
                start.wait()
                answers.extend(client.get(server.url).content for _ in range(10))

            with httpx.Client(transport=transport, timeout=PATIENCE) as client:
                threads = [Thread(target=calls, args=(client,)) for _ in range(32)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                assert counts(transport) == (0, 0, server.connections, server.connections)
        assert answers == [b"hi"] * 320
        assert server.connections <= 4

    @each_loop
    @pytest.mark.parametrize(("tasks", "calls"), [(64, 4), (800, 1)])
    def test_tasks(self, loop, tasks, calls):
        """If there are at least as many tasks as connections allowed, exactly that many connections
        are opened.
        """
        answers = []
        are_all_there = Event()  # no connection is idle until this is set

        def answer(_request, _connection):
            if len(server.requests) >= 64:
                are_all_there.set()
            assert are_all_there.wait(PATIENCE)
            return response(b"hi")

        async def main():
            transport = async_pool(limits=limited(64))
            # The last of 800 tasks waits for all others.
            timeout = httpx.Timeout(PATIENCE, pool=None)
            async with httpx.AsyncClient(transport=transport, timeout=timeout) as client:

                async def call():
                    for _ in range(calls):
                        answers.append((await client.get(server.url)).content)  # noqa: PERF401

                async with anyio.create_task_group() as group:
                    for _ in range(tasks):
                        group.start_soon(call)
                assert counts(transport) == (0, 0, 64, 64)

        with Loopback(answer) as server:
            anyio.run(main, **loop)
        assert answers == [b"hi"] * (tasks * calls)
        assert server.connections == 64

    @each_loop
    def test_order(self, loop):
        """Requests are sent in the order in which the calls were made."""

        async def main():
            transport = async_pool(limits=limited(1))
            async with (
                httpx.AsyncClient(transport=transport) as client,
                anyio.create_task_group() as group,
                transport.reserve(None),
            ):
                for number in range(20):
                    group.start_soon(client.get, f"{server.url}/{number}")
                    while counts(transport)[1] <= number:
                        await anyio.lowlevel.checkpoint()

        with Loopback(always(b"hi")) as server:
            anyio.run(main, **loop)
        assert [f"/{number}" for number in range(20)] == [one.target for one in server.requests]
