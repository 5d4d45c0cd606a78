"""A function under SnapStart: what a warm process knew does not outlive its snapshot."""

from datetime import timedelta

import pytest

from sigv4 import Credentials


@pytest.mark.parametrize("function", ["snapstart", "snapstart_by_clock"])
def test_two_copies(sandbox, layer, service, function):
    """Two copies of a warm process share no connection, and look at keys and clock again."""
    service.ahead = timedelta(hours=1)
    environ = {**service.container, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    with sandbox(layer, f"{function}.handler", environ) as running:
        running.wait_for_snapshot()
        primed = service.asked("POST")
        assert [request.body for request in primed] == [b"prime", b"prime"]  # the clock was off

        service.ahead = timedelta()
        service.known.append(Credentials("AKIDROTATED", "another-secret", "another-token"))
        running.restore()
        one, other = running.invoke_all({}, {})

    assert one["pid"] != other["pid"]
    assert one["random"] != other["random"]
    first, second = service.asked("POST")[len(primed) :]  # neither was refused for its date
    assert len({first.connection, second.connection, primed[-1].connection}) == 3
    assert all("AKIDROTATED" in one.header("authorization") for one in (first, second))
    assert len(service.asked("GET", "/keys")) == 3
