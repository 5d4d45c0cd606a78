"""Test that clients download the certificates of SNS and verify messages with them."""

import json
from datetime import datetime

import httpx
import pytest

from sagemaker_runtime_client import (
    AsyncSageMakerRuntimeClient,
    ParamValidationError,
    ResponseTooLargeError,
    ServiceError,
    SignatureError,
    TransportError,
)
from sagemaker_runtime_client._io.message import Response
from sagemaker_runtime_client.events import _certificate
from tests.readmes import CLIENT_README, blocks
from tests.runtime_client.events.signing import (
    CONFIRMATION,
    ISSUER_URL,
    NOW,
    TOPIC,
    URL,
    body,
    chain,
    issuer_der,
    leaf,
    roots,
    sign,
)
from tests.runtime_client.scripted_io import START, ScriptedIO, core, dropped, run

LEAF, ISSUER = Response(200, [], leaf()), Response(200, [], issuer_der())


def verify(io, message=None, client=None, **changes):
    """Verify a message with a scripted client that trusts a private authority."""
    client = client or core(io)
    message = body(sign()) if message is None else message
    arguments = {"topic_arns": {TOPIC}, "roots": roots(), **changes}
    return run(client.verify_sns(message, **arguments))


def urls(io):
    """Return the URLs that were requested."""
    return [sent.url for sent in io.sent]


def test_the_clocks_agree():
    """The scripted clock and the clock of the fake SNS show the same time."""
    assert START == NOW


def test_two_downloads():
    """`verify_sns` downloads the SNS certificate and its issuer's certificate without credentials."""
    io = ScriptedIO([LEAF, ISSUER])
    assert verify(io) == TOPIC
    assert urls(io) == [URL, ISSUER_URL]
    assert [sent.request.method for sent in io.sent] == ["GET", "GET"]
    assert [sent.header("authorization") for sent in io.sent] == [None, None]
    assert [sent.limit.size for sent in io.sent] == [65_536, 65_536]


def test_one_download():
    """If the response with the SNS certificate includes the issuer's, nothing else is downloaded."""
    io = ScriptedIO([Response(200, [], chain())])
    assert verify(io) == TOPIC
    assert urls(io) == [URL]


def test_certificates_are_kept():
    """A client and its copies from `with_options` download each certificate only once."""
    io = ScriptedIO([LEAF, ISSUER])
    client = core(io)
    verified = [verify(io, client=client) for _ in range(3)]
    verified.append(verify(io, client=client.with_options(max_attempts=1)))
    assert (verified, len(io.sent)) == ([TOPIC] * 4, 2)


def test_certificates_of_forged_messages_are_not_kept():
    """If a downloaded certificate did not verify a message, the next message causes a new download."""
    io = ScriptedIO([LEAF, ISSUER, Response(200, [], b"<html>"), LEAF, ISSUER])
    client = core(io)
    for _ in range(2):
        with pytest.raises(SignatureError):
            verify(io, {**sign(), "Message": "another"}, client)
    assert (verify(io, client=client), io.left) == (TOPIC, 0)


def test_how_many_certificates_are_kept():
    """A client keeps at most 64 certificates."""
    io = ScriptedIO(lambda _io, _sent: Response(200, [], chain()))
    client = core(io)
    for number in range(66):
        message = sign(SigningCertURL=URL.replace("0123456789abcdef", f"{number:x}"))
        assert verify(io, message, client) == TOPIC
    _, kept = run(client._session()).sns
    assert len(kept) == 2


@pytest.mark.parametrize(
    "issuer_url",
    [
        None,
        ISSUER_URL.replace("http:", "https:"),
        ISSUER_URL.replace("http:", "file:"),
        ISSUER_URL.replace("amazontrust.com", "canary.example"),
        ISSUER_URL.replace("amazontrust.com", "amazontrust.com.canary.example"),
        ISSUER_URL.replace("crt.r2m01.", ""),
        ISSUER_URL.replace("crt.r2m01.", "canary@"),
        ISSUER_URL.replace("crt.r2m01.", "169.254.169.254/"),
        ISSUER_URL.replace(".com/", ".com:80/"),
        ISSUER_URL + "?canary",
    ],
)
def test_other_issuers(issuer_url):
    """An issuer's certificate is requested only if its URL belongs to Amazon Trust Services."""
    io = ScriptedIO([Response(200, [], leaf(issuer_url=issuer_url))])
    with pytest.raises(SignatureError) as caught:
        verify(io)
    assert (caught.value.check, urls(io)) == ("certificate", [URL])


def test_a_damaged_issuer():
    """If the downloaded certificate of the issuer cannot be read, the error reports this."""
    io = ScriptedIO([LEAF, Response(200, [], b"<html>")])
    with pytest.raises(SignatureError, match="whose certificate cannot be read") as caught:
        verify(io)
    assert caught.value.check == "certificate"


def test_a_forged_message_costs_no_download():
    """A message that is malformed, or has a wrong topic or certificate URL, causes no request."""
    io = ScriptedIO()
    for message in (b"{", sign(TopicArn=TOPIC + "2"), sign(SigningCertURL="https://a.example/")):
        with pytest.raises(SignatureError):
            verify(io, message)
    assert io.sent == []


def test_an_old_message():
    """A message that is older than *max_age* by the client's clock is rejected."""
    with pytest.raises(SignatureError) as caught:
        verify(ScriptedIO(), max_age=29)
    assert caught.value.check == "time"


def test_wrong_arguments():
    """An invalid argument raises an error that names the argument before any request is sent."""
    for changes in ({"topic_arns": TOPIC}, {"max_age": 0}, {"timeout": -1}):
        with pytest.raises(ParamValidationError) as caught:
            verify(ScriptedIO(), **changes)
        assert [caught.value.argument] == [*changes]


@pytest.mark.parametrize(
    ("answers", "kind", "sent"),
    [
        ([Response(301, [("location", "https://canary.example/")])], ServiceError, 1),
        ([Response(403, [], b"<Error/>")], ServiceError, 1),
        ([LEAF, Response(404, [], b"")], ServiceError, 2),
        ([dropped()] * 3, TransportError, 3),
        ([Response(503, [], b""), dropped(), LEAF, dropped(), ISSUER], None, 5),
    ],
)
def test_failed_downloads(answers, kind, sent):
    """If a certificate is downloaded, redirects are not followed, and temporary failures are
    retried.
    """
    io = ScriptedIO(answers)
    if kind is None:
        assert verify(io) == TOPIC
    else:
        with pytest.raises(kind):
            verify(io)
    assert len(io.sent) == sent


def _certificates(request):
    """Return a certificate for the two expected URLs, and a page that is too large for any other
    URL.
    """
    url = str(request.url).replace("us-east-1", "eu-west-1")
    found = {URL: leaf(days=(-9999, 9999)), ISSUER_URL: issuer_der()}
    return httpx.Response(200, content=found.get(url, b" " * 65_537))


def test_clients(plain_driver):
    """Each kind of client downloads certificates with its HTTP client, and uses the system clock."""
    http_client = plain_driver.http_client("httpx", transport=httpx.MockTransport(_certificates))
    client = plain_driver.client(region="eu-west-1", http_client=http_client)
    now = datetime.now(NOW.tzinfo).isoformat()
    arguments = {"topic_arns": [TOPIC], "roots": roots()}
    assert client.verify_sns(body(sign(Timestamp=now)), **arguments) == TOPIC
    with pytest.raises(ResponseTooLargeError, match="a certificate of SNS"):
        client.verify_sns(sign(Timestamp=now, SigningCertURL=URL.replace("0", "1")), **arguments)


@pytest.fixture
def private_roots(monkeypatch):
    """Make the verification trust a private authority instead of Amazon's."""
    monkeypatch.setattr(_certificate, "_amazon_store", lambda: _certificate._store(roots()))


@pytest.mark.anyio
async def test_the_readme(private_roots, capsys):  # noqa: ARG001
    """The web application in the README accepts genuine messages and rejects a forged one."""
    (code,) = (code for code in blocks(CLIENT_README, "python") if "client.verify_sns" in code)
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    mock = httpx.MockTransport(_certificates)
    app = httpx.ASGITransport(names["app"])
    topic = next(iter(names["TOPICS"]))
    changes = {"TopicArn": topic, "Timestamp": datetime.now(NOW.tzinfo).isoformat()}
    changes["SigningCertURL"] = URL.replace("eu-west-1", "us-east-1")
    address = CONFIRMATION["SubscribeURL"].replace("eu-west-1", "us-east-1")
    content = {"eventSource": "aws:sagemaker", "invocationStatus": "Failed", "inferenceId": "a"}
    genuine = [
        sign(Message=json.dumps(content), **changes),
        sign(CONFIRMATION, SubscribeURL=address, **changes),
    ]
    async with (
        httpx.AsyncClient(transport=mock) as http_client,
        httpx.AsyncClient(transport=app, base_url="http://app.example") as sns,
    ):
        names["client"] = AsyncSageMakerRuntimeClient(region="us-east-1", http_client=http_client)
        responses = [await sns.post("/sns", json=message) for message in genuine]
        forged = await sns.post("/sns", json={**genuine[0], "MessageId": "another"})
    assert [response.status_code for response in (*responses, forged)] == [200, 200, 403]
    assert capsys.readouterr().out == f"Failed a\nopen this address to subscribe: {address}\n"
