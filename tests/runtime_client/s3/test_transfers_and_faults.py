"""Test transfers through a proxy that fails at one request: for each request, and each fault.

`make attack ONLY=transfers` does the same with objects of 100 MiB.
"""

from itertools import cycle

import pytest

from sagemaker_runtime_client.emulator import Emulator
from tests.attack import _transfers as transfers
from tests.attack._proxy import FAULTS, Proxy
from tests.runtime_client.s3.downloads.object_server import content

UPLOAD = content((10 << 20) + 5)
DOWNLOAD = content((2 << 20) + 5)
PART_SIZES = (5 << 20, 1 << 20)
UPLOADS, DOWNLOADS = ["upload", "upload of a stream"], ["download", "download with resume"]
# The requests of the transfers: parts, and the beginning and the end of an upload, or HEAD.
REQUESTS = {
    "upload": 5,
    "upload of a stream": 5,
    "download": 4,
    "download with resume": 4,
    "open": 1,
}
# Each fault at each request is tried with one transfer, one client, and http or https, in turn.
# A first response with the status of success is the object, so `open` believes it.
BELIEVED = {("open", "accept_early"), ("open", "refuse_in_success")}
CASES = [
    (names[number % len(names)], fault, number)
    for fault in FAULTS
    for names in (UPLOADS, DOWNLOADS, ["open"])
    for number in range(REQUESTS[names[0]])
    if (names[0], fault) not in BELIEVED
]

pytestmark = [
    pytest.mark.usefixtures("shortest_pauses"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture(scope="module")
def benches(tmp_path_factory, certificate):
    """The emulated S3 and the proxy in front of it, for uploads and for downloads."""
    ca_bundle, tls = certificate
    with (
        Emulator() as emulator,
        Proxy(
            int(emulator.url.rpartition(":")[2]),
            lambda: emulator.objects.put(transfers.LOCATION, transfers.OTHER),
            tls,
        ) as proxy,
    ):
        made = {}
        for is_upload, data in ((True, UPLOAD), (False, DOWNLOAD)):
            folder = tmp_path_factory.mktemp("transfers")
            made[is_upload] = transfers.Bench(
                emulator, proxy, folder, ca_bundle, data, PART_SIZES, 0.25
            )
            made[is_upload].prepare()
        transfers.warm_up(made[False])
        yield made


@pytest.fixture
def bench(benches, name):
    """The environment of a transfer."""
    return benches[name in UPLOADS]


@pytest.mark.parametrize("name", transfers.TRANSFERS)
def test_without_faults(bench, name):
    """Without faults, a transfer needs as many requests as are tried below."""
    assert transfers.count_requests(bench, name) == REQUESTS[name]


@pytest.mark.parametrize(
    ("way", "name", "fault", "number"),
    [(way, *case) for way, case in zip(cycle(transfers.WAYS), CASES)],
    ids=[f"{fault} at request {number} of {name}" for name, fault, number in CASES],
)
def test_fault(bench, way, name, fault, number):
    """The bytes are right, or the error is typed, and nothing is left over."""
    assert list(transfers.violations(bench, name, way, FAULTS[fault], number)) == []
    assert len(bench.proxy.requests) > number
