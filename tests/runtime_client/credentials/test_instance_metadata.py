"""Tests of the role credentials of an EC2 instance."""

import logging
import socket
from datetime import UTC, datetime, timedelta

import pytest

from sagemaker_runtime_client import CredentialProviderError
from tests.runtime_client.credentials.fakes import IMDS, as_json, soon
from tests.runtime_client.credentials.harness import lines
from tests.runtime_client.loopback import Loopback, refusing, response

TOKEN = "PUT /latest/api/token"
ROLE = "GET /latest/meta-data/iam/security-credentials/"
KEYS = ROLE + "my-role"


@pytest.fixture
def imds():
    """A fake service that accepts only IMDSv2 requests."""
    return IMDS()


def load(harness, imds, **environ):
    """Load credentials from *imds*, and return them with the received request lines."""
    harness.environ |= environ
    credentials, requests = harness.load_from(imds, "instance-metadata", path="/")
    return credentials, lines(requests)


def test_version_2(harness, imds):
    """IMDSv2 requires three requests: for a token, the name of the role and the role's credentials."""
    credentials, lines = load(harness, imds)
    assert lines == [TOKEN, ROLE, KEYS]
    assert credentials.secret_access_key == "canary-secret-IMDS-1"
    assert credentials.session_token == "canary-token-IMDS-1"
    assert (credentials.expiration, credentials.account_id) == (imds.ends, None)
    assert harness.timeouts == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("environ", "origin"),
    [
        pytest.param({}, "http://169.254.169.254", id="ipv4"),
        pytest.param(
            {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"}, "http://[fd00:ec2::254]", id="ipv6"
        ),
        pytest.param({"AWS_IMDS_USE_IPV6": "true"}, "http://[fd00:ec2::254]", id="ipv6, as of old"),
    ],
)
def test_address(blocking, imds, environ, origin):
    """Requests are sent to AWS's IPv4 address, or to its IPv6 address if this is configured."""
    blocking.environ |= environ
    with Loopback(imds) as server:
        blocking.redirected[origin] = server.url
        assert blocking.load("instance-metadata").access_key_id == "ASIAIMDS1"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(response(status=403), id="403"),
        pytest.param(response(status=404), id="404"),
        pytest.param(response(status=405), id="405"),
        pytest.param(response(status=401), id="401"),
        pytest.param(response(status=429), id="429"),
        pytest.param(response(status=503), id="503"),
        pytest.param(response(b""), id="empty"),
        pytest.param(response(b"canary\r\nx: y"), id="two lines"),
        pytest.param(response(b"canary\xe9"), id="no ASCII"),
        pytest.param(b"", id="lost"),
    ],
)
def test_version_1(harness, imds, fault):
    """If the response to the token request is lost, empty, malformed or an error other than 400,
    the provider uses IMDSv1.
    """
    imds.version_1 = True
    imds.faults.append(fault)
    credentials, lines = load(harness, imds)
    assert lines == [TOKEN, ROLE, KEYS]
    assert credentials.access_key_id == "ASIAIMDS1"


def test_token_timeout(harness, imds):
    """If the token request and the IMDSv1 requests time out, the provider returns None."""
    with socket.create_server(("127.0.0.1", 0)) as silent, Loopback(imds) as server:
        imds.version_1 = True
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        harness.environ |= {
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
            "AWS_METADATA_SERVICE_TIMEOUT": "0.05",
        }
        assert harness.load("instance-metadata") is None
    assert server.requests == []


@pytest.mark.parametrize(
    "fault", [response(status=403), response(status=500), b""], ids=["403", "500", "lost"]
)
def test_version_1_disabled(harness, imds, fault):
    """If IMDSv1 is disabled and the token request fails, an error is raised."""
    imds.faults.append(fault)
    with pytest.raises(CredentialProviderError) as caught:
        load(harness, imds, AWS_EC2_METADATA_V1_DISABLED="true")
    assert caught.value.provider == "instance-metadata"
    assert "IMDSv1 is disabled by ec2_metadata_v1_disabled" in caught.value.message
    assert caught.value.retryable


def test_disabled(harness, imds):
    """If the metadata service is disabled, nothing is sent."""
    assert load(harness, imds, AWS_EC2_METADATA_DISABLED="true") == (None, [])


@pytest.mark.parametrize("attempts", ["1", "3"])
def test_no_service(harness, unused_port, attempts):
    """If no service listens at the endpoint, as outside EC2, the provider returns None."""
    harness.environ |= {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{unused_port}",
        "AWS_EC2_METADATA_V1_DISABLED": "true",
        "AWS_METADATA_SERVICE_NUM_ATTEMPTS": attempts,
    }
    assert harness.load("instance-metadata") is None


@pytest.fixture
def unused_port():
    """A port on which nothing listens."""
    with refusing() as port:
        yield port


GOOD = {"AccessKeyId": "A", "SecretAccessKey": "canary", "Token": "t", "Expiration": "x"}


@pytest.mark.parametrize(
    ("faults", "lines"),
    [
        pytest.param([response(status=400)], [TOKEN], id="no token: 400"),
        pytest.param([None, response(status=404)], [TOKEN, ROLE], id="no role"),
        pytest.param([None, response()], [TOKEN, ROLE], id="empty role"),
        pytest.param([None, b""], [TOKEN, ROLE], id="lost role"),
        pytest.param([None, None, response(status=500)], [TOKEN, ROLE, KEYS], id="no keys"),
        pytest.param([None, None, response(b"rubbish")], [TOKEN, ROLE, KEYS], id="rubbish"),
        pytest.param([None, None, as_json([])], [TOKEN, ROLE, KEYS], id="no object"),
        pytest.param(
            [None, None, as_json({"Code": "AssumeRoleUnauthorizedAccess", "Message": "m"})],
            [TOKEN, ROLE, KEYS],
            id="error in 200",
        ),
        pytest.param(
            [None, None, as_json({**GOOD, "Token": None})], [TOKEN, ROLE, KEYS], id="incomplete"
        ),
    ],
)
def test_service_without_credentials(harness, imds, faults, lines, caplog):
    """If a response is lost, malformed or an error, or if the instance has no role, the provider
    returns None.
    """
    imds.faults += [imds.respond if fault is None else fault for fault in faults]
    with caplog.at_level(logging.DEBUG):
        assert load(harness, imds) == (None, lines)
    assert "canary" not in caplog.text


def test_attempts(harness, imds):
    """With three attempts configured, each request may fail twice before it succeeds."""
    fault = response(status=500)
    imds.faults += [
        fault,
        fault,
        imds.respond,
        fault,
        b"",
        imds.respond,
        fault,
        response(b"{"),
        imds.respond,
    ]
    credentials, lines = load(harness, imds, AWS_METADATA_SERVICE_NUM_ATTEMPTS="3")
    assert lines == [TOKEN] * 3 + [ROLE] * 3 + [KEYS] * 3
    assert credentials.access_key_id == "ASIAIMDS1"


def test_bad_token_request(blocking, imds):
    """A token request is not repeated after a response with status 400."""
    imds.faults.append(response(status=400))
    found = load(blocking, imds, AWS_METADATA_SERVICE_NUM_ATTEMPTS="3")
    assert found == (None, [TOKEN])


@pytest.mark.parametrize("role", ["../../x", "a b", "a\nb", "<html>"])
def test_invalid_role_name(blocking, imds, role):
    """A malformed role name is rejected, and is not used in a path."""
    imds.role = role
    with pytest.raises(CredentialProviderError) as caught:
        load(blocking, imds)
    assert "returned an invalid role name" in caught.value.message


def test_malformed_end(blocking, imds):
    """A malformed expiration causes a retryable error that does not show the credentials."""
    imds.faults += [imds.respond, imds.respond, as_json(GOOD)]
    with pytest.raises(CredentialProviderError) as caught:
        load(blocking, imds)
    assert caught.value.message == "the instance metadata response has an invalid Expiration"
    assert caught.value.retryable


@pytest.mark.parametrize("url", ["127.0.0.1", "http://user@host", "http://ho st", "ftp://x"])
def test_invalid_endpoint(blocking, url):
    """A metadata endpoint that is not a URL is rejected."""
    blocking.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = url
    with pytest.raises(CredentialProviderError) as caught:
        blocking.load("instance-metadata")
    assert caught.value.message == (
        "ec2_metadata_service_endpoint (AWS_EC2_METADATA_SERVICE_ENDPOINT) must be a URL such as "
        "http://host:port"
    )


def test_proxies_are_not_for_the_service(harness, imds, monkeypatch):
    """Requests to the metadata service do not use a proxy, which would return the role of another
    machine.
    """
    with Loopback(lambda *_: response(status=502)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert load(harness, imds)[0].access_key_id == "ASIAIMDS1"
    assert proxy.requests == []


def region(harness):
    """Return the instance's region."""
    return harness.load("instance-metadata", ask=lambda provider: provider.region())


def test_region(harness, imds):
    """The region of the instance is read from the service."""
    imds.faults += [imds.respond, response(b"eu-north-1\n")]
    with Loopback(imds) as server:
        harness.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server.url
        assert region(harness) == "eu-north-1"
    assert lines(server.requests) == [TOKEN, "GET /latest/meta-data/placement/region"]


def test_no_region(blocking, imds):
    """No region is found if the metadata service is disabled or does not return a region."""
    with Loopback(imds) as server:
        blocking.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = server.url
        imds.faults += [imds.respond, response(status=404)]
        assert region(blocking) is None
        blocking.environ["AWS_EC2_METADATA_DISABLED"] = "true"
        assert region(blocking) is None
    assert len(server.requests) == 2


@pytest.mark.parametrize("seconds", [-3600, 0, 700], ids=["over", "now", "soon"])
def test_static_stability(harness, imds, seconds, caplog):
    """If the service returns credentials that have expired or are about to expire, the client uses
    them for another 12 to 20 minutes.
    """
    imds.ends = soon(seconds)
    credentials, _ = load(harness, imds)
    left = credentials.expiration - datetime.now(UTC)
    assert timedelta(minutes=11.9) < left < timedelta(minutes=20)
    assert "returned credentials that expire at" in caplog.text
    assert credentials.access_key_id == "ASIAIMDS1"
