"""The clients to measure; each runs in an environment that contains only its own run-time packages."""

import os
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple

RIVALS = Path(sys.prefix) / "rivals"
CLIENTS = Path(__file__).parent / "clients"


def interpreter(environment: str) -> Path:
    """Return the path of an environment's Python."""
    return RIVALS / environment / "bin" / "python"


class Client(NamedTuple):
    """A module in `clients`, and the environment in which it runs."""

    environment: str
    module: str

    @property
    def python(self) -> Path:
        """The path of the client's Python interpreter."""
        return interpreter(self.environment)


BLOCKING = {
    "ours": Client("ours", "ours"),
    "boto3": Client("boto3", "with_boto3"),
    "capo": Client("capo", "with_capo"),
    "httpx": Client("httpx", "with_httpx"),
    "floor": Client("floor", "floor"),
}
ASYNC = {
    "ours, async": Client("ours", "ours_async"),
    "aiobotocore": Client("aiobotocore", "with_aiobotocore"),
    "capo, async": Client("capo", "with_capo_async"),
    "httpx, async": Client("httpx", "with_httpx_async"),
    "floor, async": Client("floor", "floor_async"),
}
# Clients that call a model and wait for its response.
MODELS = {
    "ours": Client("ours", "models.ours"),
    "boto3": Client("boto3", "models.with_boto3"),
    "capo": Client("capo", "models.with_capo"),
    "floor": Client("floor", "models.floor"),
}
ASYNC_MODELS = {
    "ours, async": Client("ours", "models.ours_async"),
    "aiobotocore": Client("aiobotocore", "models.with_aiobotocore"),
    "capo, async": Client("capo", "models.with_capo_async"),
}
ENVIRONMENTS = ("ours", "boto3", "aiobotocore", "capo", "httpx", "floor")

BASELINE = "before"  # an earlier revision of this package, which `make bench BASELINE=` can specify


def add_baseline() -> None:
    """Add an earlier revision of this package to the clients to measure."""
    BLOCKING[BASELINE] = Client("baseline", "ours")
    ASYNC[f"{BASELINE}, async"] = Client("baseline", "ours_async")


_SETTINGS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "T" * 900,  # about as long as the tokens in Lambda
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def environ(ca_bundle: Path) -> dict[str, str]:
    """Return the environment variables for a client's process.

    The path of the CA bundle is in two variables, because the clients read different ones.
    """
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(CLIENTS),
        "AWS_CA_BUNDLE": str(ca_bundle),
        "SSL_CERT_FILE": str(ca_bundle),
        **_SETTINGS,
    }


def installed(environment: str) -> list[Distribution]:
    """Return the distributions installed in an environment, sorted by name."""
    folders = [str(path) for path in (RIVALS / environment).glob("lib/python*/site-packages")]
    return sorted(distributions(path=folders), key=lambda one: one.name.lower())


def versions(environment: str) -> str:
    """Return the names and versions of the distributions installed in an environment."""
    return ", ".join(f"{one.name} {one.version}" for one in installed(environment))
