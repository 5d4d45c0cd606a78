"""Build the requests that botocore would send to S3, without sending them."""

from urllib.parse import parse_qsl, urlsplit

from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.session import Session

from tests.runtime_client.scripted_io import CREDENTIALS, REGION

# Headers that every request has, or whose values are tested elsewhere; comparisons omit them.
OTHERS = {
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "content-length",
    "expect",
    "host",
    "user-agent",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
}


class _Raw:
    """A raw response whose body is empty."""

    def stream(self, **_):
        return iter(())


class Botocore:
    """A botocore client that records each request and responds with an empty 200 response."""

    def __init__(self, **config):
        self.client = Session().create_client(
            "s3",
            region_name=REGION,
            aws_access_key_id=CREDENTIALS.access_key_id,
            aws_secret_access_key=CREDENTIALS.secret_access_key,
            aws_session_token=CREDENTIALS.session_token,
            config=Config(signature_version="s3v4", **config),
        )
        self.client.meta.events.register_first("before-send.s3", self._record)
        self._request = None

    def _record(self, request, **_):
        self._request = request
        return AWSResponse(request.url, 200, {}, _Raw())

    def request(self, operation, **arguments):
        """Return the parts of the request that botocore builds for an operation; see `parts`."""
        getattr(self.client, operation)(Bucket="bucket", **arguments)
        request = self._request
        body = request.body or b""
        body = body if isinstance(body, bytes) else body.read()
        headers = [
            (name, value if isinstance(value, str) else value.decode())
            for name, value in request.headers.items()
        ]
        return parts(request.method, request.url, headers, body)


def parts(method, url, headers, body):
    """Return the parts of a request that tests compare: the query is sorted, and `OTHERS` is
    omitted.
    """
    split = urlsplit(url)
    query = sorted(parse_qsl(split.query, keep_blank_values=True))
    compared = sorted((name.lower(), value) for name, value in headers)
    compared = [pair for pair in compared if pair[0] not in OTHERS]
    return method, split.netloc, split.path, query, compared, body


def sent_parts(sent):
    """Return the same parts of a request that `ScriptedIO` has recorded; see `parts`."""
    request = sent.request
    return parts(request.method, sent.url, request.headers, request.body)
