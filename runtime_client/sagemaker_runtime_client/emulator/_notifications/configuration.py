"""The configuration of the notifications: which are sent, and to which topics and queues."""

import re
from collections.abc import Collection, Sequence
from typing import Literal

from attrs import Attribute, field, frozen

Response = Literal["SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"]
_RESPONSES = ("SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC")
_is_name = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII).fullmatch


def _check_name(_: object, attribute: "Attribute[str | None]", value: str | None) -> None:
    if value is not None and not _is_name(value):
        raise ValueError(
            f"{attribute.name} must be a name of 1 to 80 letters, digits, hyphens and underscores, "
            f"not {value!r}"
        )


def _check_responses(
    _: object, attribute: "Attribute[Collection[Response]]", value: Collection[Response]
) -> None:
    if isinstance(value, str) or not set(value) <= set(_RESPONSES):
        raise ValueError(
            f"{attribute.name} must contain only {' and '.join(_RESPONSES)}, not {value!r}"
        )


def _check_locations(
    _: object, attribute: "Attribute[Sequence[str] | None]", value: Sequence[str] | None
) -> None:
    if isinstance(value, str) or not all(one.startswith("s3://") for one in value or ()):
        raise ValueError(f"{attribute.name} must be a list of s3:// locations, not {value!r}")


def _name() -> str | None:
    return field(default=None, validator=_check_name)


@frozen(kw_only=True)
class Notifications:
    """Configures which notifications the emulator sends.

    The emulator creates these topics and queues.  A test can subscribe further queues to the topics
    with boto3.

    Attributes:
        success_topic: The name of the endpoints' ``SuccessTopic``; None for none.
        error_topic: The name of the endpoints' ``ErrorTopic``; None for none.
        include_inference_response_in: The endpoints' ``IncludeInferenceResponseIn``, which contains
            ``SUCCESS_NOTIFICATION_TOPIC``, ``ERROR_NOTIFICATION_TOPIC`` or both.  A response is
            included only if it has at most 128 KB.
        router_success_topic: The name of the inference routers' topic for successes; None for none.
            Its notifications are sent in addition to those of the endpoint.
        router_error_topic: The name of the inference routers' topic for failures; None for none.
        object_queue: The name of a queue to which S3 sends its event notifications; None for none.
        object_topic: The name of a topic to which S3 sends its event notifications; None for none.
        objects: The beginnings of the locations of the objects that S3 announces, such as
            ``s3://bucket/prefix/``.  None announces the objects at the endpoints' output path and
            failure path.
        raw_keys: Whether event notifications contain the unchanged keys.  If not, the keys are
            URL-encoded, with ``+`` for a space, as in AWS.

    Raises:
        ValueError: A name, a location or ``include_inference_response_in`` is invalid.
    """

    success_topic: str | None = _name()
    error_topic: str | None = _name()
    include_inference_response_in: Collection[Response] = field(
        default=(), validator=_check_responses
    )
    router_success_topic: str | None = _name()
    router_error_topic: str | None = _name()
    object_queue: str | None = _name()
    object_topic: str | None = _name()
    objects: Sequence[str] | None = field(default=None, validator=_check_locations)
    raw_keys: bool = False

    @property
    def topics(self) -> tuple[str, ...]:
        """The names of all topics."""
        names = (
            self.success_topic,
            self.error_topic,
            self.router_success_topic,
            self.router_error_topic,
            self.object_topic,
        )
        return tuple(dict.fromkeys(name for name in names if name is not None))
