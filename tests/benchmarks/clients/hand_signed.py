"""The fastest possible signing: only the date and the signature are not prepared in advance."""

import hmac
import os
import time
from collections.abc import Callable, Mapping
from hashlib import sha256

from arguments import HEADERS, PATH


def signer(
    host: str,
    *,
    method: str = "POST",
    path: str = PATH,
    headers: Mapping[str, str] = HEADERS,
    body: bytes = b"",
) -> Callable[[], dict[str, str]]:
    """Return a function that signs with the environment's keys and returns the call's headers."""
    key_id, secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
    token, region = os.environ["AWS_SESSION_TOKEN"], os.environ["AWS_REGION"]
    known = {"X-Amz-Security-Token": token, **headers}
    lines = {"host": host, "x-amz-date": "%s"} | {n.lower(): value for n, value in known.items()}
    names = ";".join(sorted(lines))
    listed = (f"{name}:{lines[name]}" for name in sorted(lines))
    hashed_body = sha256(body).hexdigest()
    before, after = "\n".join((method, path, "", *listed, "", names, hashed_body)).split("%s")
    keys: dict[str, bytes] = {}

    def derive(day: str) -> bytes:
        key = f"AWS4{secret}".encode()
        for part in (day, region, "sagemaker", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return key

    def sign() -> dict[str, str]:
        timestamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        day = timestamp[:8]
        if day not in keys:
            keys[day] = derive(day)
        scope = f"{day}/{region}/sagemaker/aws4_request"
        hashed = sha256(f"{before}{timestamp}{after}".encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{hashed}"
        signature = hmac.digest(keys[day], text.encode(), "sha256").hex()
        return {
            **known,
            "X-Amz-Date": timestamp,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}",
        }

    return sign
