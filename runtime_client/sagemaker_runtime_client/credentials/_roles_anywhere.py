"""
IAM Roles Anywhere: a role's keys for a machine outside AWS that has an X.509 certificate.

    [profile machine]
    roles_anywhere_trust_anchor_arn = arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/...
    roles_anywhere_profile_arn = arn:aws:rolesanywhere:eu-west-1:123456789012:profile/...
    roles_anywhere_role_arn = arn:aws:iam::123456789012:role/machine
    roles_anywhere_certificate = /etc/pki/machine.pem
    roles_anywhere_private_key = /etc/pki/machine.key

AWS has no names for these settings: they are the options of its credential helper, after
``roles_anywhere_``.  Each is a variable as well, in capitals.

Source: https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-sign-process.html
"""

import json
from base64 import b64encode
from datetime import datetime
from typing import Any, ClassVar

from attrs import field, frozen

from sigv4 import ALL_BUT_NEVER_SIGNED, Credentials, Payload, SignableRequest, Signer

from .._endpoint import Endpoint
from .._http import Request
from ._provider import Context
from ._requests import JSON, ask, endpoint
from ._values import CAMEL_CASE, as_object, credentials_from, failure, json_object, read_text
from ._values import variable_or_setting as _variable_or_setting

_NAME = "roles-anywhere"
_PREFIX = "roles_anywhere_"
_REQUIRED = ("trust_anchor_arn", "profile_arn", "role_arn", "certificate", "private_key")
_SHORTEST, _LONGEST = 900, 43200  # CreateSession's durationSeconds


@frozen
class _Identity:
    """A certificate, the key that goes with it, and who vouches for it."""

    leaf: Any
    key: Any = field(repr=False)
    chain: tuple[Any, ...]


@frozen
class _X509:
    """
    SigV4 with the key of a certificate: what the signer wants to know of an algorithm.

    The string to sign is signed as it is; there is no key of the day.
    """

    region: str
    key: Any = field(repr=False)
    service: str = "rolesanywhere"
    region_set: str | None = None
    part_width: int = 0

    @property
    def name(self) -> str:
        """The algorithm's name, after the kind of key."""
        return f"AWS4-X509-{'ECDSA' if hasattr(self.key, 'curve') else 'RSA'}-SHA256"

    def scope(self, instant: str) -> str:
        """Return the credential scope at *instant*."""
        return f"{instant[:8]}/{self.region}/{self.service}/aws4_request"

    def sign_string(self, text: str, credentials: Credentials, instant: str) -> str:
        """Return the signature of *text* in hexadecimal: PKCS #1 v1.5, or ECDSA in DER."""
        from cryptography.hazmat.primitives.asymmetric import ec, padding
        from cryptography.hazmat.primitives.hashes import SHA256

        scheme = (
            (ec.ECDSA(SHA256()),) if hasattr(self.key, "curve") else (padding.PKCS1v15(), SHA256())
        )
        signature: bytes = self.key.sign(text.encode(), *scheme)
        return signature.hex()

    def check_string(self, text: str, credentials: object, instant: str, signature: str) -> bool:
        """Refuse: a client checks no signatures."""
        raise NotImplementedError  # pragma: no cover


@frozen
class RolesAnywhereProvider:
    """
    The settings above, and ``roles_anywhere_intermediates``, ``..._session_duration``, ``..._role_session_name``.

    Keys are RSA or EC; certificates, key and intermediates are PEM files, read anew each time.
    Needs the package `cryptography`.
    """

    name: ClassVar[str] = _NAME

    async def load(self, context: Context) -> Credentials | None:
        """
        Return the role's credentials, or None if nothing of the kind is set.

        Raises:
            CredentialProviderError: A setting is missing or wrong, the certificate or the key
                does not serve, or the service refuses.
        """
        settings = {name: _setting(context, name) for name in _REQUIRED}
        if not any(settings.values()):
            return None
        missing = [_PREFIX + name for name, value in settings.items() if not value]
        if missing:
            raise failure(
                _NAME, f"profile {context.profile}, or variables, lack {', '.join(missing)}"
            )
        given = {name: value or "" for name, value in settings.items()}
        region = _region(given)
        identity = await _identity(context, given)
        response = await ask(
            context,
            _NAME,
            endpoint(context, _NAME, "rolesanywhere", region),
            _create_session(context, given, identity),
            doing=f"CreateSession of {given['role_arn']}",
            sign=_signer(identity, region),
        )
        answer: Any = as_object(json_object(response.body)).get("credentialSet")
        first = as_object(answer[0]) if isinstance(answer, list) and answer else {}
        return credentials_from(
            _NAME,
            "the answer to CreateSession",
            as_object(first.get("credentials")),
            CAMEL_CASE,
            given["role_arn"].split(":")[4],
        )


def _setting(context: Context, name: str) -> str | None:
    key = _PREFIX + name
    return _variable_or_setting(context, key.upper(), key)


def _region(given: dict[str, str]) -> str:
    """Return the region of trust anchor and profile, which must be the same."""
    parts = {
        name: given[name].split(":") for name in ("trust_anchor_arn", "profile_arn", "role_arn")
    }
    for name, arn in parts.items():
        if len(arn) != 6 or arn[0] != "arn":
            raise failure(_NAME, f"{_PREFIX}{name} is no ARN")
    anchor, profile = parts["trust_anchor_arn"][3], parts["profile_arn"][3]
    if anchor != profile:
        raise failure(
            _NAME,
            f"{_PREFIX}trust_anchor_arn is of region {anchor}, and {_PREFIX}profile_arn of {profile}",
        )
    return anchor


def _create_session(context: Context, given: dict[str, str], identity: _Identity) -> Request:
    """
    Return the request, unsigned.

    Source: https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-create-session.html
    """
    from urllib.parse import urlencode

    from cryptography.hazmat.primitives.serialization import Encoding

    leaf, *chain = [
        b64encode(certificate.public_bytes(Encoding.DER)).decode()
        for certificate in (identity.leaf, *identity.chain)
    ]
    body: dict[str, Any] = {"durationSeconds": _duration(context)}
    if session := _setting(context, "role_session_name"):
        body["roleSessionName"] = session
    query = urlencode(
        {
            "profileArn": given["profile_arn"],
            "roleArn": given["role_arn"],
            "trustAnchorArn": given["trust_anchor_arn"],
        }
    )
    headers = [JSON, ("x-amz-x509", leaf)]
    if chain:
        headers.append(("x-amz-x509-chain", ",".join(chain)))
    return Request("POST", f"/sessions?{query}", tuple(headers), json.dumps(body).encode())


def _duration(context: Context) -> int:
    """Return for how many seconds the credentials shall count."""
    text = _setting(context, "session_duration") or "3600"
    if not (text.isascii() and text.isdigit() and _SHORTEST <= int(text) <= _LONGEST):
        raise failure(_NAME, f"{_PREFIX}session_duration must be {_SHORTEST} to {_LONGEST}")
    return int(text)


def _signer(identity: _Identity, region: str) -> Any:
    """Return what signs a request with the certificate's key."""
    signer = Signer(_X509(region, identity.key), signed_headers=ALL_BUT_NEVER_SIGNED)
    nobody = Credentials(str(identity.leaf.serial_number), "the-key-is-elsewhere")

    def sign(endpoint: Endpoint, request: Request, at: datetime) -> Request:
        signable = SignableRequest(
            request.method,
            endpoint.origin + request.path,
            request.headers,
            Payload.of(request.body),
        )
        added = signer.sign(signable, nobody, at=at).headers
        return Request(
            request.method, request.path, (*request.headers, *added.items()), request.body
        )

    return sign


async def _identity(context: Context, given: dict[str, str]) -> _Identity:
    """Return what the files hold, if it goes together and still counts."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec, rsa
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        raise failure(
            _NAME,
            "IAM Roles Anywhere needs the package cryptography, which cannot be imported here",
        ) from error
    path, key_path = given["certificate"], given["private_key"]
    certificate = await read_text(context, _NAME, path, "the certificate")
    private_key = await read_text(context, _NAME, key_path, "the private key")
    try:
        leaf, *chain = x509.load_pem_x509_certificates(certificate.encode())
    except ValueError:
        raise failure(_NAME, f"the certificate {path} is no PEM certificate") from None
    if more := _setting(context, "intermediates"):
        text = await read_text(context, _NAME, more, "the intermediates")
        try:
            chain += x509.load_pem_x509_certificates(text.encode())
        except ValueError:
            raise failure(_NAME, f"the intermediates {more} are no PEM certificates") from None
    try:
        key = load_pem_private_key(private_key.encode(), None)
    except TypeError:
        raise failure(_NAME, f"the private key {key_path} is encrypted; give a bare one") from None
    except ValueError:
        raise failure(_NAME, f"the private key {key_path} is no PEM key") from None
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise failure(_NAME, f"the private key {key_path} is neither RSA nor EC")
    if key.public_key() != leaf.public_key():
        raise failure(_NAME, f"the private key {key_path} is not the one of {path}")
    if not leaf.not_valid_before_utc <= context.io.now() < leaf.not_valid_after_utc:
        raise failure(
            _NAME,
            f"the certificate {path} counts from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} to "
            f"{leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC, and not now",
        )
    return _Identity(leaf, key, tuple(chain))
