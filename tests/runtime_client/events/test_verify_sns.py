"""Test `verify_sns` with genuine messages of SNS: what it accepts, and which arguments it needs."""

import asyncio
import math
import pickle
import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from sagemaker_runtime_client import ParamValidationError, events
from sagemaker_runtime_client.events import SignatureError, parse, verify_sns
from tests.runtime_client.events.signing import (
    CONFIRMATION,
    HOST,
    NOTIFICATION,
    NOW,
    TOPIC,
    URL,
    body,
    chain,
    leaf,
    roots,
    rsa_key,
    sign,
)

UNSUBSCRIBE = {**CONFIRMATION, "Type": "UnsubscribeConfirmation"}


def verify(message, pem=None, **changes):
    """Verify a message with the certificates of the fake SNS."""
    pem = chain() if pem is None else pem
    arguments = {"topic_arns": {TOPIC}, "now": NOW, "roots": roots(), **changes}
    return verify_sns(message, **{"certificate": lambda _url: pem, **arguments})


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("message", [NOTIFICATION, CONFIRMATION, UNSUBSCRIBE])
def test_genuine(message, version):
    """Messages of each type, signed by either version, are verified as dict, str and bytes."""
    signed = sign(message, SignatureVersion=version)
    given = signed, body(signed), body(signed).decode()
    assert [verify(one) for one in given] == [TOPIC] * 3


@pytest.mark.parametrize("subject", [{}, {"Subject": None}])
def test_no_subject(subject):
    """A subject that is missing or null is not signed."""
    without = {name: value for name, value in NOTIFICATION.items() if name != "Subject"}
    assert verify(sign({**without, **subject})) == TOPIC


def test_lambda_spelling():
    """The address of the certificate may be spelled as in a message for AWS Lambda."""
    signed = sign()
    signed["SigningCertUrl"] = signed.pop("SigningCertURL")
    assert verify(signed) == TOPIC


def test_order_and_unsigned_fields():
    """The order of the fields is irrelevant, and fields that are not signed may be added."""
    signed = dict(reversed(sign().items())) | {"MessageAttributes": {"a": {"Type": "String"}}}
    assert verify(body(signed)) == TOPIC


def test_largest_message():
    """A message with one mebibyte of escaped text is verified."""
    assert verify(body(sign(Message="\x01" * (1 << 18)))) == TOPIC


REGIONS = {
    "eu-west-1": ("aws", "amazonaws.com", "sns.amazonaws.com"),
    "af-south-1": ("aws", "amazonaws.com", "sns-signing.af-south-1.amazonaws.com"),
    "us-gov-west-1": ("aws-us-gov", "amazonaws.com", "sns-us-gov-west-1.amazonaws.com"),
    "us-gov-east-1": ("aws-us-gov", "amazonaws.com", "sns-us-gov-west-1.amazonaws.com"),
    "cn-north-1": ("aws-cn", "amazonaws.com.cn", "sns-cn-north-1.amazonaws.com.cn"),
    "eusc-de-east-1": ("aws-eusc", "amazonaws.eu", "sns-signing.eusc-de-east-1.amazonaws.eu"),
}


@pytest.mark.parametrize("region", REGIONS)
def test_regions(region):
    """The host and the name of the certificate are those of the topic's region."""
    partition, suffix, name = REGIONS[region]
    topic = f"arn:{partition}:sns:{region}:123456789012:results"
    url = URL.replace(HOST, f"https://sns.{region}.{suffix}")
    signed = sign(TopicArn=topic, SigningCertURL=url)
    asked = []

    def certificate(url):
        asked.append(url)
        return chain(names=(name, "other.example"))

    assert verify(signed, topic_arns=[topic], certificate=certificate) == topic
    assert asked == [url]


def test_a_fifo_topic():
    """The name of a topic may end in .fifo."""
    topic = f"{TOPIC}.fifo"
    assert verify(sign(TopicArn=topic), topic_arns=[TOPIC, topic]) == topic


def test_without_an_intermediate():
    """A root may have issued the certificate itself."""
    assert verify(sign(), leaf(issuer="root")) == TOPIC


@pytest.mark.parametrize("bits", [2048, 4096])
def test_key_sizes(bits):
    """RSA keys of usual sizes are accepted."""
    key = rsa_key(bits)
    assert verify(sign(key=key), chain(key=key)) == TOPIC


@pytest.mark.parametrize("seconds", [-329, 0, 3570])
def test_window(seconds):
    """A message is accepted until an hour after it was published, and if clocks differ a little."""
    assert verify(sign(), now=NOW + timedelta(seconds=seconds)) == TOPIC


def test_no_window():
    """With ``math.inf``, an old message is accepted as long as the certificate is valid."""
    assert verify(sign(), now=NOW + timedelta(days=99), max_age=math.inf) == TOPIC


def test_the_clock_of_this_machine():
    """Without *now*, the clock of this machine decides."""
    now = datetime.now(NOW.tzinfo).isoformat()
    assert verify(sign(Timestamp=now), chain(days=(-9999, 9999)), now=None) == TOPIC


def test_the_way_to_parse():
    """The result is what `parse` needs to trust the message."""
    content = '{"eventSource": "aws:sagemaker", "invocationStatus": "Completed"}'
    text = body(sign(Message=content))
    (event,) = parse(text, source=verify(text), trusted_sources={TOPIC})
    assert (type(event), event.trusted) == (events.Completed, True)


def test_a_confirmation():
    """The address that confirms a subscription is in the fields of the ignored message."""
    text = body(sign(CONFIRMATION))
    (event,) = parse(text, source=verify(text))
    assert (event.kind, event.fields["SubscribeURL"]) == (
        "confirmation",
        CONFIRMATION["SubscribeURL"],
    )


ARGUMENTS = {
    "message": [None, 1, [], bytearray(b"{}")],
    "topic_arns": [
        *(None, 1, (), {}, TOPIC, TOPIC.encode(), {TOPIC: 1}, [TOPIC, None], [b"arn"]),
        *(["arn:aws:sns:eu-west-1:123456789012:*"], ["*"], [TOPIC + "\n"]),
        *([TOPIC.replace("sns", "sqs")], [TOPIC.replace("eu-west-1", "x.evil.example/")]),
    ],
    "now": [0, "2026", datetime(2026, 11, 22)],  # noqa: DTZ001
    "max_age": [0, -1, math.nan, True, "60", None],
    "roots": [b"", b"no", "no", 1],
    "certificate": [lambda _url: None, lambda _url: chain().decode()],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in ARGUMENTS.items() for value in values]
)
def test_wrong_arguments(name, value):
    """An invalid argument raises an error that names it."""
    arguments = {"message": sign(), name: value}
    with pytest.raises(ParamValidationError) as caught:
        verify(**arguments)
    assert (caught.value.argument, name in caught.value.message) == (name, True)


def test_an_error_of_the_function():
    """An error of the function that returns the certificate is raised unchanged."""
    error = OSError("no network")

    def certificate(_url):
        raise error

    with pytest.raises(OSError, match="no network") as caught:
        verify(sign(), certificate=certificate)
    assert caught.value is error


def test_the_error_can_be_pickled():
    """An error keeps its message and its check."""
    error = pickle.loads(pickle.dumps(SignatureError("a", check="topic")))
    assert (error.message, error.check, error.retryable) == ("a", "topic", False)


def test_what_an_import_loads():
    """`cryptography` is loaded only by the first verification."""
    program = (
        "import sys\nfrom sagemaker_runtime_client import events\n"
        "names = 'cryptography', 'sagemaker_runtime_client.events._signed_message'\n"
        "print([name in sys.modules for name in names])\n"
        "events.verify_sns, events.SignatureError\n"
        "print([name in sys.modules for name in names])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout == "[False, False]\n[False, True]\n"


def test_names():
    """An unknown name raises AttributeError, and all public names exist."""
    assert not hasattr(events, "verify_sqs")
    assert [name for name in events.__all__ if not hasattr(events, name)] == []


def test_in_a_loop():
    """The function can be called while an event loop runs."""

    async def main():
        return verify(sign())

    assert asyncio.run(main()) == TOPIC
