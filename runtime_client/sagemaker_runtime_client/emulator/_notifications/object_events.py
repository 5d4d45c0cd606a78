"""S3's event notifications about new objects.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from collections.abc import Callable
from datetime import datetime
from itertools import count
from secrets import token_hex
from typing import Any
from urllib.parse import quote_plus

from attrs import field, frozen

from .._messaging.clock import timestamp
from .._s3.stored import StoredObject

_OWNER = "AEMULATOROWNER"


@frozen
class ObjectEvents:
    """Builds the event notifications of new objects.

    Attributes:
        region: The region of the buckets.
        raw_keys: Whether keys are left unchanged instead of being URL-encoded.
    """

    region: str
    raw_keys: bool
    _sequence: Callable[[], int] = field(factory=lambda: count(1).__next__, init=False)

    def created(self, bucket: str, key: str, stored: StoredObject, at: datetime) -> dict[str, Any]:
        """Return the notification about a new object."""
        # If an object was uploaded in parts, its ETag ends with a hyphen and the number of parts.
        how = "CompleteMultipartUpload" if "-" in stored.etag else "Put"
        record = {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": self.region,
            "eventTime": timestamp(at),
            "eventName": f"ObjectCreated:{how}",
            "userIdentity": {"principalId": "AWS:EMULATOR"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {
                "x-amz-request-id": token_hex(8).upper(),
                "x-amz-id-2": token_hex(32),
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "emulator",
                "bucket": {
                    "name": bucket,
                    "ownerIdentity": {"principalId": _OWNER},
                    "arn": f"arn:aws:s3:::{bucket}",
                },
                "object": {
                    "key": key if self.raw_keys else quote_plus(key, safe="/"),
                    "size": stored.size,
                    "eTag": stored.etag.strip('"'),
                    "sequencer": f"{self._sequence():018X}",
                },
            },
        }
        return {"Records": [record]}
