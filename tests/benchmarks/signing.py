"""Signing one InvokeEndpointAsync request, ten headers and a session token of 900 bytes."""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from timeit import timeit

from awscrt import auth as crt
from awscrt.http import HttpHeaders, HttpRequest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from rounds import Measure

from sigv4 import Credentials, Payload, SignableRequest, Signer, SigV4, SigV4A

URL = "https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/my-endpoint/async-invocations"
TOKEN = "T" * 900
NAMES = {
    "Accept": "application/json",
    "Content-Type": "application/json",
    "Custom-Attributes": "trace=1",
    "Filename": "answer.json",
    "Inference-Id": "0f6d8cc7-4c8b-4d1f-9c2a-0f6d8cc74c8b",
    "InputLocation": "s3://my-bucket/inputs/payload.json",
    "InvocationTimeoutSeconds": "900",
    "RequestTTLSeconds": "3600",
}
HEADERS = {f"X-Amzn-SageMaker-{name}": value for name, value in NAMES.items()}
COUNT = 2000


def microseconds(sign: Callable[[], object], count: int = COUNT) -> Measure:
    """Return a measure of one call, in microseconds."""
    return lambda: timeit(sign, number=count) / count * 1e6


def by_hmac(text: bytes) -> bytes:
    """Sign a text with a key that is at hand."""
    return hmac.digest(FIXED_KEY, text, "sha256")


def floor(sign: Callable[[bytes], bytes] = by_hmac) -> dict[str, str]:
    """Sign with everything known beforehand but date and signature: the least there is to do."""
    instant = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    canonical = FIXED_CANONICAL % instant
    text = f"AWS4-HMAC-SHA256\n{instant}\n{SCOPE}\n{sha256(canonical.encode()).hexdigest()}"
    signature = sign(text.encode()).hex()
    credential = f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{SCOPE}"
    return {
        "X-Amz-Date": instant,
        "Authorization": f"{credential}, {FIXED_NAMES}, Signature={signature}",
    }


def awscrt(algorithm: crt.AwsSigningAlgorithm) -> Callable[[], object]:
    """Return what signs headers with awscrt, a native library."""
    provider = crt.AwsCredentialsProvider.new_static("AKIDEXAMPLE", "secret", TOKEN)

    def sign() -> object:
        config = crt.AwsSigningConfig(
            algorithm=algorithm,
            signature_type=crt.AwsSignatureType.HTTP_REQUEST_HEADERS,
            credentials_provider=provider,
            region="eu-west-1",
            service="sagemaker",
            date=datetime.now(UTC),
        )
        headers = HttpHeaders(
            [("Host", "runtime.sagemaker.eu-west-1.amazonaws.com"), *HEADERS.items()]
        )
        return crt.aws_sign_request(HttpRequest("POST", PATH, headers), config).result()

    return sign


def contenders() -> dict[str, Measure]:
    """Return who signs headers."""
    credentials = Credentials("AKIDEXAMPLE", "secret", TOKEN)
    signer = Signer(SigV4(service="sagemaker", region="eu-west-1"))
    request = SignableRequest("POST", URL, HEADERS)

    botocore = SigV4Auth(
        BotocoreCredentials("AKIDEXAMPLE", "secret", TOKEN), "sagemaker", "eu-west-1"
    )

    return {
        "ours": microseconds(lambda: signer.sign(request, credentials, at=datetime.now(UTC))),
        "ours, request built too": microseconds(
            lambda: signer.sign(
                SignableRequest("POST", URL, HEADERS), credentials, at=datetime.now(UTC)
            )
        ),
        "botocore": microseconds(
            lambda: botocore.add_auth(AWSRequest("POST", URL, HEADERS)), COUNT // 4
        ),
        "awscrt": microseconds(awscrt(crt.AwsSigningAlgorithm.V4), COUNT // 2),
        "floor": microseconds(floor),
    }


def asymmetric() -> dict[str, Measure]:
    """Return who signs headers with SigV4A, most of which is one signature by ECDSA."""
    credentials = Credentials("AKIDEXAMPLE", "secret", TOKEN)
    signer = Signer(SigV4A(service="sagemaker", region_set="eu-west-1"))
    request = SignableRequest("POST", URL, HEADERS)
    key, scheme = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(SHA256())
    return {
        "ours": microseconds(
            lambda: signer.sign(request, credentials, at=datetime.now(UTC)), COUNT // 4
        ),
        "awscrt": microseconds(awscrt(crt.AwsSigningAlgorithm.V4_ASYMMETRIC), COUNT // 4),
        "bare ECDSA": microseconds(lambda: key.sign(b"text", scheme), COUNT // 4),
        "floor": microseconds(lambda: floor(lambda text: key.sign(text, scheme)), COUNT // 4),
    }


def presigning() -> dict[str, Measure]:
    """Return who presigns."""
    credentials = Credentials("AKIDEXAMPLE", "secret", TOKEN)
    signer = Signer(SigV4(service="sagemaker", region="eu-west-1"))
    request = SignableRequest("GET", URL)
    botocore = SigV4QueryAuth(
        BotocoreCredentials("AKIDEXAMPLE", "secret", TOKEN), "sagemaker", "eu-west-1"
    )
    return {
        "ours": microseconds(
            lambda: signer.presign(request, credentials, at=datetime.now(UTC), expires=3600)
        ),
        "botocore": microseconds(lambda: botocore.add_auth(AWSRequest("GET", URL)), COUNT // 4),
        "floor": microseconds(floor),
    }


def hashing() -> dict[str, Measure]:
    """Return who signs a body of 1 MiB."""
    credentials = Credentials("AKIDEXAMPLE", "secret", TOKEN)
    signer = Signer(SigV4(service="sagemaker", region="eu-west-1"))
    body = bytes(1 << 20)
    botocore = SigV4Auth(
        BotocoreCredentials("AKIDEXAMPLE", "secret", TOKEN), "sagemaker", "eu-west-1"
    )
    return {
        "ours": microseconds(
            lambda: signer.sign(
                SignableRequest("POST", URL, HEADERS, Payload.of(body)),
                credentials,
                at=datetime.now(UTC),
            ),
            50,
        ),
        "botocore": microseconds(
            lambda: botocore.add_auth(AWSRequest("POST", URL, HEADERS, body)), 50
        ),
        "hashlib alone": microseconds(lambda: sha256(body).hexdigest(), 50),
    }


PATH = "/endpoints/my-endpoint/async-invocations"
SCOPE = "20261122/eu-west-1/sagemaker/aws4_request"
_LINES = {
    "host": "runtime.sagemaker.eu-west-1.amazonaws.com",
    "x-amz-date": "%s",
    "x-amz-security-token": TOKEN,
} | {name.lower(): value for name, value in HEADERS.items()}
_SORTED = sorted(_LINES)
FIXED_NAMES = "SignedHeaders=" + ";".join(_SORTED)
FIXED_CANONICAL = "\n".join(
    [
        "POST",
        PATH,
        "",
        *[f"{name}:{_LINES[name]}" for name in _SORTED],
        "",
        ";".join(_SORTED),
        sha256().hexdigest(),
    ]
)
FIXED_KEY = bytes(32)
