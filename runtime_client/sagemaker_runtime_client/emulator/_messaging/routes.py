"""Handles requests to SQS and SNS whose signature has been verified."""

from collections.abc import Mapping

from attrs import frozen

from .._reply import RejectedRequestError, Reply
from .._target import Target
from .arguments import parse_form, parse_json, parse_query
from .queue_routes import QueueRoutes
from .replies import as_success
from .topic_routes import TopicRoutes
from .topics import Topics


@frozen
class NotificationRoutes:
    """Handles requests to SQS and SNS.

    Attributes:
        topics: The topics, and the queues.
    """

    topics: Topics

    async def handle(
        self, target: Target, headers: Mapping[str, str], body: bytes, request_id: str
    ) -> Reply:
        """Execute a request whose signature has been verified, and return the response.

        Args:
            target: The target of the request.
            headers: All headers of the request.
            body: The body, in the protocol of the target.
            request_id: The ID of the request.

        Raises:
            RejectedRequestError: The service would reject the request, or the emulator does not
                support the operation.
        """
        arguments = parse_json(body) if target.protocol == "json" else parse_query(parse_form(body))
        if target.service == "sns":
            result = TopicRoutes(self.topics).handle(target.operation, arguments)
        else:
            queues = QueueRoutes(self.topics.broker, headers.get("host", ""), target)
            result = await queues.handle(arguments)
        return as_success(target, result, request_id)


def read_operation(target: Target, body: bytes) -> Target:
    """Return the target of a request in the query protocol, with the operation in its body.

    If the body is malformed, the operation is ``Unknown``.
    """
    try:
        return target.with_action(parse_form(body).get("Action", ""))
    except RejectedRequestError:
        return target
