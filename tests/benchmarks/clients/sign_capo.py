from collections.abc import Callable

from arguments import HEADERS, PATH
from capo_sagemaker_runtime._auth._providers import EnvCredentialsProvider
from capo_sagemaker_runtime._auth._signers import SigV4Signer
from capo_sagemaker_runtime._auth._sigv4 import build_sigv4_auth_scheme
from pywhatwgurl import URL
from zapros import Request


def connect(url: str) -> Callable[[], object]:
    """Return a function that signs a request; the request itself is created in advance."""
    scheme = build_sigv4_auth_scheme("sagemaker", "eu-west-1")
    signer = SigV4Signer(EnvCredentialsProvider(), auth_scheme=scheme)
    request = Request(URL(url + PATH), "POST", HEADERS)
    return lambda: signer.sign(request)
