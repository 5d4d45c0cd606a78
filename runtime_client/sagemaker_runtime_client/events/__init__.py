"""Notifications of SNS, SQS, S3 and EventBridge as values, without any side effect."""

from ._parse import Event, parse
from ._results import Completed, Failed
from ._values import Ignored, ObjectCreated

__all__ = ["Completed", "Event", "Failed", "Ignored", "ObjectCreated", "parse"]
