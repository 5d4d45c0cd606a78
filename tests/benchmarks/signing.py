"""Measure the signing of an InvokeEndpointAsync request with ten headers and a long session token.

The token has 900 characters.  Presigning, SigV4A and a body of 1 MiB are measured as well.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import sha256
from timeit import timeit

from awscrt import auth as crt
from awscrt.http import HttpHeaders, HttpRequest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from clients.arguments import HEADERS, PATH
from contenders import Client
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from loopback import Server
from rounds import Measure, Table, side_by_side
from workers import Worker, worker

from sigv4 import Credentials, Payload, SignableRequest, Signer, SigV4, SigV4A

HOST = "runtime.sagemaker.eu-west-1.amazonaws.com"
URL = f"https://{HOST}{PATH}"
TOKEN = "T" * 900
OURS = Credentials("AKIDEXAMPLE", "secret", TOKEN)
BOTOCORES = BotocoreCredentials("AKIDEXAMPLE", "secret", TOKEN)
BODY = bytes(1 << 20)
COUNT = 2000


def signing(server: Server, rounds: int) -> Iterator[tuple[str, Table]]:
    """Measure signing by header with SigV4 and SigV4A, presigning, and signing a body of 1 MiB."""
    with ExitStack() as stack:
        apart = {
            name: stack.enter_context(worker(client, URL.removesuffix(PATH), server.ca_bundle))
            for name, client in (
                ("capo", Client("capo", "sign_capo")),
                ("floor", Client("floor", "sign_floor")),
            )
        }
        measures = _headers() | {name: _elsewhere(member) for name, member in apart.items()}
        title = "Signing by header, 10 headers and a token"
        yield "sign", side_by_side(title, measures, rounds, ("botocore", "awscrt", "floor"))
    for key, title, measures, rivals in (
        ("presign", "Presigning", _presigned(), ("botocore",)),
        ("sign V4A", "Signing by header with SigV4A", _asymmetric(), ("awscrt", "ECDSA alone")),
        ("sign 1 MiB", "Signing a body of 1 MiB", _hashed(), ("botocore", "hashlib alone")),
    ):
        yield key, side_by_side(title, measures, rounds, rivals)


def _here(sign: Callable[[], object], count: int = COUNT) -> Measure:
    """Return a function that measures the mean CPU time of a signature in this process."""
    return lambda: {"us": timeit(sign, timer=time.process_time, number=count) / count * 1e6}


def _elsewhere(member: Worker) -> Measure:
    """Return a function that measures the mean CPU time of a signature in a worker."""
    return lambda: {"us": member.measure(COUNT)["us"]}


def _headers() -> dict[str, Measure]:
    signer = Signer(SigV4(service="sagemaker", region="eu-west-1"))
    request = SignableRequest("POST", URL, HEADERS)
    botocore = SigV4Auth(BOTOCORES, "sagemaker", "eu-west-1")
    return {
        "ours": _here(lambda: signer.sign(request, OURS, at=datetime.now(UTC))),
        "ours, request built too": _here(
            lambda: signer.sign(SignableRequest("POST", URL, HEADERS), OURS, at=datetime.now(UTC))
        ),
        "botocore": _here(lambda: botocore.add_auth(AWSRequest("POST", URL, HEADERS)), COUNT // 4),
        "awscrt": _here(_awscrt(crt.AwsSigningAlgorithm.V4), COUNT // 2),
    }


def _awscrt(algorithm: crt.AwsSigningAlgorithm) -> Callable[[], object]:
    """Return a function that signs a request by header with awscrt, a native library."""
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
        headers = HttpHeaders([("Host", HOST), *HEADERS.items()])
        return crt.aws_sign_request(HttpRequest("POST", PATH, headers), config).result()

    return sign


def _presigned() -> dict[str, Measure]:
    signer = Signer(SigV4(service="sagemaker", region="eu-west-1"))
    request = SignableRequest("GET", URL)
    botocore = SigV4QueryAuth(BOTOCORES, "sagemaker", "eu-west-1")
    return {
        "ours": _here(lambda: signer.presign(request, OURS, at=datetime.now(UTC), expires=3600)),
        "botocore": _here(lambda: botocore.add_auth(AWSRequest("GET", URL)), COUNT // 4),
    }


def _asymmetric() -> dict[str, Measure]:
    """Return functions that measure SigV4A, and the ECDSA signature that takes most of SigV4A's
    time.
    """
    signer = Signer(SigV4A(service="sagemaker", region_set="eu-west-1"))
    request = SignableRequest("POST", URL, HEADERS)
    key, scheme = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(SHA256())
    count = COUNT // 4
    return {
        "ours": _here(lambda: signer.sign(request, OURS, at=datetime.now(UTC)), count),
        "awscrt": _here(_awscrt(crt.AwsSigningAlgorithm.V4_ASYMMETRIC), count),
        "ECDSA alone": _here(lambda: key.sign(b"text", scheme), count),
    }


def _hashed() -> dict[str, Measure]:
    signer = Signer(SigV4(service="sagemaker", region="eu-west-1"))
    botocore = SigV4Auth(BOTOCORES, "sagemaker", "eu-west-1")

    def ours() -> object:
        request = SignableRequest("POST", URL, HEADERS, Payload.of(BODY))
        return signer.sign(request, OURS, at=datetime.now(UTC))

    return {
        "ours": _here(ours, 50),
        "botocore": _here(lambda: botocore.add_auth(AWSRequest("POST", URL, HEADERS, BODY)), 50),
        "hashlib alone": _here(lambda: sha256(BODY).hexdigest(), 50),
    }
