"""Warm calls, many at once: CPU each, of threads and of tasks on asyncio."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import calls
import httpx
import signing
from rounds import Measure

from sagemaker_runtime_client import AsyncSageMakerRuntimeClient
from sagemaker_runtime_client._pool import AsyncPooledTransport
from sigv4 import Credentials

COUNT = 320
THREADS = 16

AsyncCall = Callable[[], Awaitable[object]]


def threads(port: int) -> dict[str, Measure]:
    """Return the CPU of each in threads; the floor is one connection, and therefore not among them."""

    def measure(call: Callable[[], object]) -> Measure:
        def many() -> None:
            for _ in range(COUNT // THREADS):
                call()

        def microseconds() -> float:
            with ThreadPoolExecutor(THREADS) as pool:
                start = time.process_time()
                for future in [pool.submit(many) for _ in range(THREADS)]:
                    future.result()
                return (time.process_time() - start) / COUNT * 1e6

        return microseconds

    callers = calls.callers(port)
    del callers["floor"]
    return {name: measure(call) for name, call in callers.items()}


def tasks(port: int, in_flight: int) -> dict[str, Measure]:
    """Return the CPU of each with so many in flight; each task calls again at once."""

    def measure(
        run: Callable[[int, Callable[[AsyncCall], Awaitable[float]]], Awaitable[float]],
    ) -> Measure:
        async def timed(call: AsyncCall) -> float:
            each = max(1, COUNT // in_flight)

            async def work(count: int) -> None:
                for _ in range(count):
                    await call()

            async def all_of_them(count: int) -> None:
                await asyncio.gather(*(work(count) for _ in range(in_flight)))

            await all_of_them(1)  # connects
            start = time.process_time()
            await all_of_them(each)
            return (time.process_time() - start) / (each * in_flight) * 1e6

        async def main() -> float:
            return await run(port, timed)

        return lambda: asyncio.run(main())

    contenders = {
        "ours": _ours,
        "httpx, unsigned": _httpx,
        "httpx over our pool": _httpx_over_our_pool,
        "floor": _floor,
    }
    return {name: measure(run) for name, run in contenders.items()}


async def _ours(port: int, timed: Callable[[AsyncCall], Awaitable[float]]) -> float:
    async with AsyncSageMakerRuntimeClient(
        region="eu-west-1",
        endpoint_url=f"http://127.0.0.1:{port}",
        credentials=Credentials("AKIDEXAMPLE", "secret", signing.TOKEN),
    ) as client:
        return await timed(
            lambda: client.invoke_endpoint_async(
                "e",
                content_type="application/json",
                accept="application/json",
                input_location=signing.NAMES["InputLocation"],
            )
        )


async def _httpx(
    port: int,
    timed: Callable[[AsyncCall], Awaitable[float]],
    transport: httpx.AsyncBaseTransport | None = None,
) -> float:
    url = f"http://127.0.0.1:{port}{signing.PATH}"
    async with httpx.AsyncClient(transport=transport) as client:
        return await timed(lambda: client.post(url, headers=signing.HEADERS))


async def _httpx_over_our_pool(port: int, timed: Callable[[AsyncCall], Awaitable[float]]) -> float:
    return await _httpx(port, timed, AsyncPooledTransport())


async def _floor(port: int, timed: Callable[[AsyncCall], Awaitable[float]]) -> float:
    """Write and read bytes that are known, over streams that wait for whoever is in front."""
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    opened: list[asyncio.StreamWriter] = []
    names = "".join(f"{name}: {value}\r\n" for name, value in signing.HEADERS.items())

    async def call() -> None:
        signed = "".join(f"{name}: {value}\r\n" for name, value in signing.floor().items())
        if idle:
            reader, writer = idle.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            opened.append(writer)
        writer.write(f"POST {signing.PATH} HTTP/1.1\r\n{names}{signed}\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
        idle.append((reader, writer))

    try:
        return await timed(call)
    finally:
        for writer in opened:
            writer.close()
