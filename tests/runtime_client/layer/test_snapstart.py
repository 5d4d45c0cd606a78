"""Test that SnapStart functions do not reuse connections, credentials or a clock offset that were
saved in the snapshot.
"""

from datetime import timedelta

import pytest

from sigv4 import Credentials


@pytest.mark.parametrize("function", ["snapstart", "snapstart_by_clock"])
def test_two_copies(sandbox, layer, service, function):
    """Two copies of a restored process share no connection.

    Each loads its credentials again, and discards the clock offset.
    """
    service.ahead = timedelta(hours=1)
    environ = {**service.container, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    with sandbox(layer, f"{function}.handler", environ) as running:
        running.wait_for_snapshot()
        primed = service.received("POST")
        # The first attempt was rejected because of the clock skew; the second one was accepted.
        assert [request.body for request in primed] == [b"prime", b"prime"]

        service.ahead = timedelta()
        service.known.append(Credentials("AKIDROTATED", "another-secret", "another-token"))
        running.restore()
        one, other = running.invoke_all({}, {})

    assert one["pid"] != other["pid"]
    assert one["random"] != other["random"]
    # Neither of the later requests was rejected because of its date.
    first, second = service.received("POST")[len(primed) :]
    assert len({first.connection, second.connection, primed[-1].connection}) == 3
    assert all("AKIDROTATED" in one.header("authorization") for one in (first, second))
    assert len(service.received("GET", "/keys")) == 3
