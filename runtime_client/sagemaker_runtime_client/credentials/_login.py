"""Loads the console credentials that ``aws login`` stored in its cache, and refreshes them.

The credentials are valid for 15 minutes.  A refresh request must contain a proof, signed with the
login's private key, that the sender possesses this key ("demonstrating proof of possession", DPoP,
RFC 9449).

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-login-credentials.html and botocore
1.44, credentials.py.
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from sigv4 import Credentials, Payload

from .._aws.auth import PreparedAuth
from .._aws.endpoint import Endpoint
from .._aws.error_response import json_error
from .._errors import CredentialProviderError, ServiceError
from .._io.message import Request, Response
from ._fetching import as_object, format_timestamp, is_json, json_object
from ._provider import text_setting
from ._requests import JSON, ServiceProvider

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_log = logging.getLogger("sagemaker_runtime_client")

_FOLDER = "~/.aws/login/cache"
_PARTS = ("accessKeyId", "secretAccessKey", "sessionToken", "expiresAt")
# Credentials are refreshed when this much time or less is left until they expire.
_WINDOW = timedelta(minutes=5)
_PATH = "/v1/token"

# The advice for each error code with which the service rejects a refresh.
_REMEDIES = {
    "TOKEN_EXPIRED": "run `aws login` again",
    "USER_CREDENTIALS_CHANGED": "run `aws login` again",
    "INSUFFICIENT_PERMISSIONS": "grant the permission signin:CreateOAuth2Token",
}


class LoginProvider(ServiceProvider):
    """Loads the credentials of ``login_session``; refreshes them if they expire within 5 minutes.

    The cache file is read at each load and rewritten after each refresh.  If a refresh fails, the
    credentials stay in use until they expire.  The file is in the directory
    ``AWS_LOGIN_CACHE_DIRECTORY``, by default ``~/.aws/login/cache``.  A refresh requires the
    package `cryptography`.
    """

    async def load(self) -> Credentials | None:
        """Return the credentials of the login, or None if the profile has no ``login_session``.

        Raises:
            CredentialProviderError: There is no login, its cache file is malformed, the credentials
                have expired and cannot be refreshed, or a refresh requires `cryptography`, which is
                not installed.
        """
        session = self.setting("login_session")
        if session is None:
            return None
        folder = self.system.environ.get("AWS_LOGIN_CACHE_DIRECTORY") or _FOLDER
        path = self.cache_path(folder, sha256(session.encode()).hexdigest())
        token = await self._cached_token(path)
        credentials = self._credentials(token, path)
        if self._remaining(credentials) > _WINDOW:
            return credentials
        try:
            token = await self._refresh(path, token)
        except CredentialProviderError as error:
            # Another process may have refreshed the login first and used up the refresh token.
            token = await self._cached_token(path)
            if self._credentials(token, path).expired(self.system.now()):
                raise
            _log.warning("could not refresh the login in %s: %s", path, error)
        return self._credentials(token, path)

    async def _cached_token(self, path: str) -> dict[str, object]:
        """Read the cache file, check that it has the required fields, and return its content."""
        try:
            text = await self.read_text(path, "the login cache file", is_json)
        except CredentialProviderError as error:
            message = f"{error.message}: {self._hint}"
            raise self.failure(message, retryable=error.retryable) from error
        token = json_object(text) or {}
        needed = ("clientId", "refreshToken", "dpopKey")
        missing = [name for name in needed if not isinstance(token.get(name), str)]
        if not isinstance(token.get("accessToken"), dict):
            missing.append("accessToken")
        if missing:
            raise self.failure(
                f"the login cache file {path} is missing {', '.join(missing)}: {self._hint}"
            )
        return token

    def _credentials(self, token: dict[str, object], path: str) -> Credentials:
        """Parse and return the credentials in the content of the cache file."""
        parts = as_object(token["accessToken"])
        return self.parse_credentials(
            f"the login cache file {path}", parts, _PARTS, parts.get("accountId")
        )

    @property
    def _hint(self) -> str:
        return f"run `aws login --profile {self.context.profile}`"

    def _remaining(self, credentials: Credentials) -> timedelta:
        ends = credentials.expiration
        return timedelta() if ends is None else ends - self.system.now()

    async def _refresh(self, path: str, token: dict[str, object]) -> dict[str, object]:
        """Refresh the login, write the new content of the cache file, and return this content."""
        signin = self.endpoint("signin", text_setting(token, "signInRegion"))
        body = {
            "clientId": token["clientId"],
            "grantType": "refresh_token",
            "refreshToken": token["refreshToken"],
        }
        key = self._private_key(str(token["dpopKey"]), path)
        response = await self.ask(
            signin,
            Request("POST", _PATH, (JSON,), json.dumps(body).encode()),
            operation=f"CreateOAuth2Token for profile {self.context.profile}",
            parse_error=_parse_error,
            auth=DPoPAuth(key, self.system.uuid, str(token["refreshToken"])),
        )
        token = self._updated(token, json_object(response.body) or {})
        self._credentials(token, path)  # raises if a field is missing, before the file is replaced
        try:
            await self.system.write_file(path, json.dumps(token).encode())
        except OSError as error:
            _log.warning("cannot write the refreshed login to %s: %s", path, error.strerror)
        return token

    def _updated(self, token: dict[str, object], response: dict[str, object]) -> dict[str, object]:
        """Return *token*, the content of the cache file, with the credentials from *response*."""
        keys, lifetime = as_object(response.get("accessToken")), response.get("expiresIn")
        refresh_token = response.get("refreshToken")
        if not keys or not isinstance(lifetime, int) or not isinstance(refresh_token, str):
            message = (
                "the response to CreateOAuth2Token must contain accessToken, expiresIn and "
                "refreshToken"
            )
            raise self.failure(message, retryable=True)
        expires_at = self.system.now() + timedelta(seconds=max(0, min(lifetime, 10**8)))
        new = {
            **{name: keys.get(name) for name in _PARTS[:3]},
            "accountId": as_object(token["accessToken"]).get("accountId"),
            "expiresAt": format_timestamp(expires_at),
        }
        return {**token, "accessToken": new, "refreshToken": refresh_token}

    def _private_key(self, pem: str, path: str) -> "EllipticCurvePrivateKey":
        """Parse and return the login's private key, which must be on the curve P-256."""
        try:
            from cryptography.hazmat.primitives.asymmetric import ec
            from cryptography.hazmat.primitives.serialization import load_pem_private_key
        except ImportError as error:
            raise self.without_cryptography("refreshing an `aws login` session", error) from error
        try:
            key = load_pem_private_key(pem.encode(), None)
        except (TypeError, ValueError):
            key = None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            message = f"dpopKey in the login cache file {path} is not a P-256 key: {self._hint}"
            raise self.failure(message)
        return key


def _parse_error(response: Response) -> ServiceError:
    """Return the error in a response from the sign-in service; its code is in the field ``error``."""
    error = json_error(response)
    code = (json_object(response.body) or {}).get("error")
    if isinstance(code, str) and code:
        error.code = code
        if remedy := _REMEDIES.get(code):
            error.message = f"{remedy} ({error.message})"
    return error


class DPoPAuth(PreparedAuth):
    """Adds a new DPoP proof to each attempt of a request.

    Args:
        key: The private key of the login, on the curve P-256.
        make_id: Returns a new unique id for each proof.
        secrets: The secrets that no error message may contain.
    """

    def __init__(
        self, key: "EllipticCurvePrivateKey", make_id: Callable[[], str], *secrets: str
    ) -> None:
        self._key = key
        self._make_id = make_id
        self.secrets = secrets

    def apply(
        self, endpoint: Endpoint, request: Request, payload: Payload, timestamp: datetime
    ) -> Request:
        proof = _proof(self._key, endpoint.origin + request.path, timestamp, self._make_id())
        return request.with_headers([("DPoP", proof)])


def _proof(key: "EllipticCurvePrivateKey", url: str, at: datetime, identifier: str) -> str:
    """Return a DPoP proof: a signed JSON Web Token that demonstrates possession of *key*.

    Source: RFC 9449, section 4.2 (the claims of a proof); RFC 7518, sections 3.4 (ES256: r and s,
    32 bytes each) and 6.2.1 (the public key).
    """
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    numbers = key.public_key().public_numbers()
    x, y = (_base64url(number.to_bytes(32)) for number in (numbers.x, numbers.y))
    jwk = {"kty": "EC", "x": x, "y": y, "crv": "P-256"}
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}
    claims = {"htm": "POST", "htu": url, "iat": int(at.timestamp()), "jti": identifier}
    text = ".".join(_base64url(_compact(part)) for part in (header, claims))
    r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(SHA256())))
    return f"{text}.{_base64url(r.to_bytes(32) + s.to_bytes(32))}"


def _compact(part: Mapping[str, object]) -> bytes:
    return json.dumps(part, separators=(",", ":")).encode()


def _base64url(data: bytes) -> str:
    """Encode *data* as base64url without padding (RFC 7515, section 2)."""
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(data).rstrip(b"=").decode()
