"""Decorators for AWS Lambda functions that handle notifications or submit queued messages."""

from ._batch import MessageNotHandledError
from ._claims import Claim, ClaimLostError, Claims, MemoryClaims
from ._decorators import s3_handler, sns_handler, sqs_handler
from ._jobs import Job, Message
from ._s3_claims import S3Claims
from ._submitter import sqs_submitter

__all__ = [
    "Claim",
    "ClaimLostError",
    "Claims",
    "Job",
    "MemoryClaims",
    "Message",
    "MessageNotHandledError",
    "S3Claims",
    "s3_handler",
    "sns_handler",
    "sqs_handler",
    "sqs_submitter",
]
