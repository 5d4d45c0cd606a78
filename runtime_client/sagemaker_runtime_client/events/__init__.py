"""Notifications of SNS, SQS, S3 and EventBridge as values, without any side effect."""

from typing import TypeAlias

from ._results import Completed, Failed
from ._values import Ignored, ObjectCreated

Event: TypeAlias = Completed | Failed | ObjectCreated | Ignored

__all__ = ["Completed", "Event", "Failed", "Ignored", "ObjectCreated"]
