"""Loads a role's credentials from IAM Roles Anywhere, for a machine outside AWS with a certificate.

    [profile machine]
    roles_anywhere_trust_anchor_arn = arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/...
    roles_anywhere_profile_arn = arn:aws:rolesanywhere:eu-west-1:123456789012:profile/...
    roles_anywhere_role_arn = arn:aws:iam::123456789012:role/machine
    roles_anywhere_certificate = /etc/pki/machine.pem
    roles_anywhere_private_key = /etc/pki/machine.key

AWS defines no names for these settings.  Their names are those of the options of AWS's credential
helper, prefixed with ``roles_anywhere_``.  Each setting can also be an environment variable, with
its name in upper case.

Source: https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-sign-process.html
"""

import json
from typing import cast
from urllib.parse import urlencode

from sigv4 import Credentials

from .._io.message import Request
from ._fetching import CAMEL_CASE, as_object, json_object
from ._requests import JSON, ServiceProvider
from ._x509 import Identity, X509Auth

_PREFIX = "roles_anywhere_"
_ARNS = ("trust_anchor_arn", "profile_arn", "role_arn")
_REQUIRED = (*_ARNS, "certificate", "private_key")
_SHORTEST, _LONGEST = 900, 43200  # the limits of CreateSession's durationSeconds


class RolesAnywhereProvider(ServiceProvider):
    """Uses the five required settings in the module's example, and four optional ones.

    The optional settings are ``roles_anywhere_intermediates``, ``roles_anywhere_session_duration``,
    ``roles_anywhere_role_session_name`` and ``roles_anywhere_private_key_passphrase_file``.

    The private key must be an RSA or EC key.  The certificate, the key and the intermediates are
    PEM files, which are read at each load.  The passphrase of an encrypted key comes from the
    context's function `key_passphrase`, or otherwise from the first line of the passphrase file.
    Keys in PKCS#11 tokens are not supported.  The provider requires the package `cryptography`.
    """

    async def load(self) -> Credentials | None:
        """Return the role's credentials, or None if no required setting is present.

        Raises:
            CredentialProviderError: A setting is missing or malformed, the certificate or the key
                cannot be used, `cryptography` is not installed, or the request failed.
        """
        settings = {name: text for name in _REQUIRED if (text := self._text(name))}
        if not settings:
            return None
        missing = [_PREFIX + name for name in _REQUIRED if name not in settings]
        if missing:
            profile = self.context.profile
            raise self.failure(
                f"IAM Roles Anywhere requires {', '.join(missing)}: set them in profile {profile}, "
                "or as environment variables in upper case"
            )
        self._refuse_pkcs11(settings)
        region, account_id = self._region_and_account(settings)
        identity = await Identity.load(
            self,
            settings["certificate"],
            settings["private_key"],
            self._text("intermediates"),
            self._text("private_key_passphrase_file"),
        )
        response = await self.ask(
            self.endpoint("rolesanywhere", region),
            self._create_session(settings, identity),
            operation=f"CreateSession for {settings['role_arn']}",
            auth=X509Auth(identity, region),
        )
        credential_set = as_object(json_object(response.body)).get("credentialSet")
        first = (
            as_object(cast("list[object]", credential_set)[0])
            if isinstance(credential_set, list) and credential_set
            else {}
        )
        return self.parse_credentials(
            "the response to CreateSession",
            as_object(first.get("credentials")),
            CAMEL_CASE,
            account_id,
        )

    def _text(self, name: str) -> str | None:
        key = _PREFIX + name
        return self.variable_or_setting(key.upper(), key)

    def _refuse_pkcs11(self, settings: dict[str, str]) -> None:
        for name in ("certificate", "private_key"):
            if settings[name].lower().startswith("pkcs11:"):
                raise self.failure(
                    f"{_PREFIX}{name} is a PKCS#11 URI, which is not supported: use a PEM file, or "
                    "run AWS's credential helper as credential_process"
                )

    def _region_and_account(self, settings: dict[str, str]) -> tuple[str, str]:
        """Return the region of the trust anchor and the account of the role.

        The Roles Anywhere profile must be in the same region as the trust anchor.
        """
        parts = {name: settings[name].split(":") for name in _ARNS}
        for name, arn in parts.items():
            if len(arn) != 6 or arn[0] != "arn":
                raise self.failure(f"{_PREFIX}{name} is not a valid ARN")
        anchor, profile = parts["trust_anchor_arn"][3], parts["profile_arn"][3]
        if anchor != profile:
            raise self.failure(
                f"{_PREFIX}trust_anchor_arn is in region {anchor} but {_PREFIX}profile_arn is in "
                f"{profile}: both must be in the same region"
            )
        return anchor, parts["role_arn"][4]

    def _create_session(self, settings: dict[str, str], identity: Identity) -> Request:
        """Return the unsigned CreateSession request.

        Source:
        https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-create-session.html
        """
        body: dict[str, object] = {"durationSeconds": self._duration()}
        if session := self._text("role_session_name"):
            body["roleSessionName"] = session
        query = urlencode(
            {
                "profileArn": settings["profile_arn"],
                "roleArn": settings["role_arn"],
                "trustAnchorArn": settings["trust_anchor_arn"],
            }
        )
        data = json.dumps(body).encode()
        return Request("POST", f"/sessions?{query}", (JSON, *identity.headers), data)

    def _duration(self) -> int:
        """Return the requested lifetime of the credentials in seconds."""
        text = self._text("session_duration") or "3600"
        if not (text.isascii() and text.isdigit() and _SHORTEST <= int(text[:6]) <= _LONGEST):
            raise self.failure(
                f"{_PREFIX}session_duration must be {_SHORTEST} to {_LONGEST} seconds"
            )
        return int(text)
