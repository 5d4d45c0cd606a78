"""
Signature Version 4, for any AWS service: sign, presign and verify.

Pure: no I/O, no clock, no environment.  Time is an argument; a signature comes back as headers
to set, and the request stays as it was.

>>> from datetime import UTC, datetime
>>> from sigv4 import Credentials, SignableRequest, Signer, SigV4
>>> signer = Signer(SigV4(service="sagemaker", region="us-east-1"))
>>> request = SignableRequest("GET", "https://runtime.sagemaker.us-east-1.amazonaws.com/ping")
>>> credentials = Credentials("AKIDEXAMPLE", "secret")
>>> signature = signer.sign(request, credentials, at=datetime(2026, 11, 22, 12, tzinfo=UTC))
>>> signature.headers["x-amz-date"]
'20261122T120000Z'
>>> signature.signed_headers
('host', 'x-amz-date')
"""

from ._canonical import ALL_BUT_NEVER_SIGNED, DEFAULT
from ._credentials import Credentials, CredentialsProvider
from ._encoding import percent_encode, percent_encode_path
from ._errors import (
    ExpiredCredentialsError,
    InvalidRequestError,
    SignatureError,
    SigV4Error,
)
from ._payload import Payload
from ._request import SignableRequest
from ._signer import Algorithm, Signature, Signer
from ._v4 import SigV4
from ._verify import Verified, verify

__all__ = [
    "ALL_BUT_NEVER_SIGNED",
    "Algorithm",
    "Credentials",
    "CredentialsProvider",
    "DEFAULT",
    "ExpiredCredentialsError",
    "InvalidRequestError",
    "Payload",
    "percent_encode",
    "percent_encode_path",
    "SignableRequest",
    "Signature",
    "SignatureError",
    "Signer",
    "SigV4",
    "SigV4Error",
    "Verified",
    "verify",
]
