"""Test which genuine SNS messages `verify_sns` accepts, and which arguments it requires."""

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
    """Verify a message with the certificates of the fake SNS, unless *pem* contains others."""
    pem = chain() if pem is None else pem
    arguments = {"topic_arns": {TOPIC}, "now": NOW, "roots": roots(), **changes}
    return verify_sns(message, **{"certificate": lambda _url: pem, **arguments})


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("message", [NOTIFICATION, CONFIRMATION, UNSUBSCRIBE])
def test_genuine(message, version):
    """`verify_sns` accepts each message type, in either signature version, as dict, str and bytes."""
    signed = sign(message, SignatureVersion=version)
    given = signed, body(signed), body(signed).decode()
    assert [verify(one) for one in given] == [TOPIC] * 3


@pytest.mark.parametrize("subject", [{}, {"Subject": None}])
def test_no_subject(subject):
    """A signed message without a subject, or with the subject null, is accepted."""
    without = {name: value for name, value in NOTIFICATION.items() if name != "Subject"}
    assert verify(sign({**without, **subject})) == TOPIC


def test_lambda_spelling():
    """The certificate URL may be in the field SigningCertUrl, as in messages that Lambda receives."""
    signed = sign()
    signed["SigningCertUrl"] = signed.pop("SigningCertURL")
    assert verify(signed) == TOPIC


def test_order_and_unsigned_fields():
    """A signed message is accepted if its fields are reordered and an unsigned field is added."""
    signed = dict(reversed(sign().items())) | {"MessageAttributes": {"a": {"Type": "String"}}}
    assert verify(body(signed)) == TOPIC


def test_largest_message():
    """A message is accepted if its text takes one and a half mebibytes when escaped."""
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
    """In each region, the certificate's host and host name must be those of the topic's region."""
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
    """A message from a topic whose name ends in .fifo is accepted."""
    topic = f"{TOPIC}.fifo"
    assert verify(sign(TopicArn=topic), topic_arns=[TOPIC, topic]) == topic


def test_without_an_intermediate():
    """A message is accepted if a root authority issued the SNS certificate directly."""
    assert verify(sign(), leaf(issuer="root")) == TOPIC


@pytest.mark.parametrize("bits", [2048, 4096])
def test_key_sizes(bits):
    """RSA keys with 2,048 and 4,096 bits are accepted."""
    key = rsa_key(bits)
    assert verify(sign(key=key), chain(key=key)) == TOPIC


@pytest.mark.parametrize("seconds", [-329, 0, 3570])
def test_window(seconds):
    """A message is accepted for an hour, and if the clock is up to five minutes behind."""
    assert verify(sign(), now=NOW + timedelta(seconds=seconds)) == TOPIC


def test_no_window():
    """If *max_age* is ``math.inf``, a message that is 99 days old is accepted."""
    assert verify(sign(), now=NOW + timedelta(days=99), max_age=math.inf) == TOPIC


def test_the_clock_of_this_machine():
    """Without *now*, the system clock determines the age of a message."""
    now = datetime.now(NOW.tzinfo).isoformat()
    assert verify(sign(Timestamp=now), chain(days=(-9999, 9999)), now=None) == TOPIC


def test_the_way_to_parse():
    """If the topic that `verify_sns` returns is passed to `parse`, the event is trusted."""
    content = '{"eventSource": "aws:sagemaker", "invocationStatus": "Completed"}'
    text = body(sign(Message=content))
    (event,) = parse(text, source=verify(text), trusted_sources={TOPIC})
    assert (type(event), event.trusted) == (events.Completed, True)


def test_a_confirmation():
    """`parse` returns a verified confirmation as an ignored event, whose fields contain
    SubscribeURL.
    """
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
    """If the function that returns the certificate raises an error, the error is not wrapped."""
    error = OSError("no network")

    def certificate(_url):
        raise error

    with pytest.raises(OSError, match="no network") as caught:
        verify(sign(), certificate=certificate)
    assert caught.value is error


def test_the_error_can_be_pickled():
    """A `SignatureError` keeps its message and its check if it is pickled."""
    error = pickle.loads(pickle.dumps(SignatureError("a", check="topic")))
    assert (error.message, error.check, error.retryable) == ("a", "topic", False)


def test_what_an_import_loads():
    """Neither importing `events` nor reading the name `verify_sns` loads `cryptography`."""
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
    """A name that `events` lacks raises AttributeError, and each name in `__all__` exists."""
    assert not hasattr(events, "verify_sqs")
    assert [name for name in events.__all__ if not hasattr(events, name)] == []


def test_in_a_loop():
    """`verify_sns` can be called while an event loop runs."""

    async def main():
        return verify(sign())

    assert asyncio.run(main()) == TOPIC
