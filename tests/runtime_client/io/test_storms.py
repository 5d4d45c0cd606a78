"""Test many threads or tasks that use one pool at the same time."""

from threading import Barrier, Event, Thread

import anyio
import httpx
import pytest

from tests.runtime_client.clients import each_loop
from tests.runtime_client.loopback import Loopback, always, response
from tests.runtime_client.pools import PATIENCE, PooledTransport, async_pool, counts, limited


class TestStorms:
    def test_threads(self):
        """If 32 threads share 4 connections, all their requests succeed, and at most 4 connections
        are opened.
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
        """If at least 64 tasks share a pool of 64 connections, all their requests succeed, and
        exactly 64 connections are opened.
        """
        answers = []
        are_all_there = Event()  # until it is set, no response is sent, so no connection is idle

        def answer(_request, _connection):
            if len(server.requests) >= 64:
                are_all_there.set()
            assert are_all_there.wait(PATIENCE)
            return response(b"hi")

        async def main():
            transport = async_pool(limits=limited(64))
            # There is no pool timeout, because the last of 800 tasks waits for all others.
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
        """If calls wait for a connection, their requests are sent in the order of the calls."""

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
