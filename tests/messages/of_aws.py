"""Messages about one call to an AWS service: endpoint, credentials, attempts and errors."""

from errno import EMFILE

from sagemaker_runtime_client import Response
from sagemaker_runtime_client._aws.endpoint import Endpoints
from sagemaker_runtime_client._aws.error_response import json_error
from tests.messages.picking import pick_line, pick_note
from tests.runtime_client.calls import OK, PLAIN, answer, call, caller
from tests.runtime_client.scripted_io import ScriptedIO, dropped, run

# The files and folders of the product whose messages must all be in a table.
COVERED = ("runtime_client/sagemaker_runtime_client/_aws",)

URL = "POST https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/e/async-invocations"
THROTTLED = answer(429, message="Rate exceeded")
FAILED = answer(500, message="Internal failure")
SKEWED = answer(403, "RequestExpired", date="Sun, 22 Nov 2026 13:00:00 GMT")
TOMORROW = answer(403, "RequestExpired", date="Tue, 24 Nov 2026 12:00:00 GMT")
YESTERDAY = answer(403, "RequestExpired", date="Fri, 20 Nov 2026 12:00:00 GMT")


def send(*answers, client=None, **changes):
    """Send a request to a service that responds with *answers*."""
    run((client or caller(ScriptedIO(answers))).send(call(**changes)))


def without_files(_io, _sent):
    """Return the error that occurs if a process cannot open more files."""
    return OSError(EMFILE, "Too many open files")


def after_throttling(deadline):
    """Send a request in the adaptive mode, and then another one after the first was throttled.

    *deadline* is the number of seconds that the second request has.
    """
    io = ScriptedIO([THROTTLED, OK])
    client = caller(io, adaptive=True, max_attempts=1)
    try:
        send(client=client)
    except Exception:  # noqa: BLE001 (the first is throttled)
        send(client=client, deadline=io.monotonic() + deadline)


def without_quota():
    """Send a request that fails more often than the retry quota allows."""
    send(*[FAILED] * 99, client=caller(ScriptedIO([FAILED] * 99), max_attempts=99))


def fail():
    """Raise an error, as a user's function may do."""
    raise KeyError("a secret")


class Vault:
    """A credentials provider that returns something other than credentials."""

    get = aget = dict


MESSAGES = [
    # Credentials.
    (
        lambda: send(client=caller(ScriptedIO(), fail)),
        (
            "the provider passed as credentials= (FunctionProvider) raised KeyError; see this "
            "error's __cause__"
        ),
    ),
    (
        lambda: send(client=caller(ScriptedIO(), Vault())),
        (
            "the provider passed as credentials= (Vault) returned dict; it must return "
            "sigv4.Credentials"
        ),
    ),
    # Endpoints.
    (
        lambda: Endpoints("aws-global", fips=True).credentials("sts"),
        (
            "the global STS endpoint (region aws-global) has no FIPS and no dual-stack variant: set "
            "a region, such as us-east-1"
        ),
    ),
    (
        lambda: Endpoints("eu-west-1").s3("b", "http://127.0.0.1:9000", "virtual"),
        (
            "the S3 endpoint URL 'http://127.0.0.1:9000' has an IP address as its host, so it cannot "
            "be used with addressing style 'virtual': set the addressing style to 'path' or 'auto'"
        ),
    ),
    (
        lambda: Endpoints("cn-north-1", fips=True).s3("b"),
        (
            "S3 has no FIPS endpoint in region cn-north-1 (partition aws-cn): turn off "
            "use_fips_endpoint"
        ),
    ),
    (
        lambda: Endpoints("eu_west_1").sagemaker_runtime(),
        (
            "region must be a host label of letters, digits and inner hyphens, such as eu-west-1, "
            "not 'eu_west_1'"
        ),
    ),
    (
        lambda: Endpoints("eu-west-1").sagemaker_runtime("localhost:8080"),
        (
            "the endpoint URL for SageMaker Runtime must look like https://host:port, without a user "
            "name and without a query, not 'localhost:8080'"
        ),
    ),
    (
        lambda: Endpoints("eu-west-1").credentials("sts", "https://user:password@host"),
        (
            "the endpoint URL for sts must look like https://host:port, without a user name and "
            "without a query"
        ),
    ),
    # Errors in the responses of a service.
    (lambda: send(answer(400, "ValidationError", message="too long")), "too long"),
    (
        lambda: send(Response(404, ())),
        "the service responded with status 404 and no message",
    ),
    (
        lambda: str(json_error(Response(400, (), b'{"message": null}'))),
        (
            "too many requests (status 400 with a null message) (code ThrottlingException, status "
            "400)"
        ),
    ),
    # Retries, deadlines and connections of one call.
    (
        lambda: send(deadline=0),
        f"the timeout elapsed before {URL} could be sent",
    ),
    (
        lambda: after_throttling(0.1),
        (
            f"{URL} was not sent: the service is throttling requests, and the timeout leaves no time "
            "to wait"
        ),
    ),
    (
        lambda: send(*[Response(200, (), b"par", complete=False)] * 3, idempotent=True),
        f"{URL}: the response ended before it was complete",
    ),
    (
        lambda: send(without_files, without_files, without_files),
        (
            "cannot connect to https://runtime.sagemaker.eu-west-1.amazonaws.com: too many open "
            "files; close some, raise the limit (ulimit -n) or lower max_connections"
        ),
    ),
    (
        lambda: pick_note(without_quota),
        "not retried: this client has used up its retry quota",
    ),
    (
        lambda: pick_note(lambda: send(TOMORROW)),
        (
            "this machine's clock is 2 days, 0:00:00 behind the service's clock: set it to the right "
            "time"
        ),
    ),
    (
        lambda: pick_note(lambda: send(YESTERDAY, endpoint=PLAIN)),
        (
            "this machine's clock is 2 days, 0:00:00 ahead of the service's clock: set it to the "
            "right time"
        ),
    ),
    # Log lines.
    (
        lambda: send(OK),
        f"{URL}: attempt 1 of 3 succeeded (status 200, request id R)",
    ),
    (
        lambda: pick_line(lambda: send(FAILED, OK), URL),
        f"{URL}: attempt 1 of 3 failed: Internal failure (code 500, status 500)",
    ),
    (
        lambda: send(THROTTLED, OK),
        (f"{URL}: attempt 1 of 3 failed; retrying in 0.50 s: Rate exceeded (code 429, status 429)"),
    ),
    (
        lambda: send(dropped("ReadError"), OK),
        (
            f"{URL}: attempt 1 of 3 failed; retrying in 0.03 s, although the service may have "
            "accepted a previous attempt, so the request may be executed twice: ReadError"
        ),
    ),
    (
        lambda: send(SKEWED, OK),
        (
            f"{URL}: attempt 1 of 3 was rejected because this machine's clock differs from the "
            "service's clock by 1:00:00; retrying with the service's time"
        ),
    ),
    (
        lambda: pick_line(lambda: after_throttling(60), f"{URL}: attempt 1 of 1 waits"),
        (f"{URL}: attempt 1 of 1 waits 2.00 s, because the service has throttled requests"),
    ),
]
