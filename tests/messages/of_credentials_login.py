"""Messages about credentials from IAM Identity Center, ``aws login`` and IAM Roles Anywhere."""

import sys
from contextlib import nullcontext
from datetime import timedelta
from functools import cache
from unittest import mock

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.messages.providers import LOGIN_CACHE, SSO_CACHE, START, as_json, load
from tests.runtime_client.scripted_io import ScriptedIO

# The files whose messages are in these tables are listed in of_credentials.py.
COVERED = ()

SESSION = (
    "sso_session = corp\n[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp\n"
)
SSO = f"[default]\nsso_account_id = 123456789012\nsso_role_name = Dev\n{SESSION}"
SSO_TOKEN = {
    "accessToken": "a",
    "expiresAt": "2026-11-22T13:00:00Z",
    "refreshToken": "r",
    "clientId": "c",
    "clientSecret": "s",
    "registrationExpiresAt": "2027-01-01T00:00:00Z",
}
LOGIN = "[default]\nlogin_session = me\n"
ANYWHERE = {
    "ROLES_ANYWHERE_TRUST_ANCHOR_ARN": "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a",
    "ROLES_ANYWHERE_PROFILE_ARN": "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p",
    "ROLES_ANYWHERE_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
    "ROLES_ANYWHERE_CERTIFICATE": "/cert.pem",
    "ROLES_ANYWHERE_PRIVATE_KEY": "/key.pem",
}


@cache
def key():
    """Return an EC private key, which is created only once."""
    return ec.generate_private_key(ec.SECP256R1())


def pem(made, passphrase=None):
    """Return a private key as PEM, encrypted if there is a passphrase."""
    encryption = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def certificate(days=1):
    """Return a self-signed certificate for `key` as PEM, which expires after *days* days."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "machine")])
    ends = START + timedelta(days=days)
    builder = x509.CertificateBuilder(name, name, key().public_key(), 1)
    builder = builder.not_valid_before(START - timedelta(days=9)).not_valid_after(ends)
    return builder.sign(key(), hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


class ReadOnlyIO(ScriptedIO):
    """A system whose files cannot be written."""

    async def write_file(self, path, data):
        raise PermissionError(13, "Permission denied", path)


def sso(*responses, changes=(), **options):
    """Load credentials from IAM Identity Center with a cached token to which *changes* were
    applied.
    """
    token = as_json({**SSO_TOKEN, **dict(changes)}).body
    return load("sso", SSO, *responses, files={SSO_CACHE: token}, **options)


def without_cryptography():
    """Return a context in which the package cryptography cannot be imported."""
    names = [name for name in sys.modules if name.startswith("cryptography")]
    return mock.patch.dict(sys.modules, dict.fromkeys(names))


def login(*responses, changes=(), expires="2026-11-22T11:00:00Z", block=nullcontext, **options):
    """In the context *block*, load credentials from a cached login that has to be refreshed."""
    keys = {"accessKeyId": "A", "secretAccessKey": "s", "sessionToken": "t", "expiresAt": expires}
    token = {"accessToken": keys, "clientId": "c", "refreshToken": "r"}
    token |= {"dpopKey": pem(key()).decode(), **dict(changes)}
    files = {LOGIN_CACHE: as_json(token).body}
    environ = {"AWS_LOGIN_CACHE_DIRECTORY": "/cache"}
    with block():
        return load("login", LOGIN, *responses, files=files, environ=environ, **options)


def anywhere(*responses, files=(), settings=(), block=nullcontext, **options):
    """In the context *block*, load credentials from IAM Roles Anywhere."""
    files = {"/cert.pem": certificate(), "/key.pem": pem(key()), **dict(files)}
    environ = {**ANYWHERE, **dict(settings)}
    with block():
        return load("roles-anywhere", "", *responses, files=files, environ=environ, **options)


ENCRYPTED = pem(key(), b"right")
INTERMEDIATES = {"ROLES_ANYWHERE_INTERMEDIATES": "/chain.pem"}
PASSPHRASE = {"ROLES_ANYWHERE_PRIVATE_KEY_PASSPHRASE_FILE": "/pass"}
SOON = {"expiresAt": "2026-11-22T12:05:00Z"}
ROLE = as_json(
    {
        "roleCredentials": {
            "accessKeyId": "A",
            "secretAccessKey": "s",
            "sessionToken": "t",
            "expiration": 1795351200000,
        }
    }
)
NEW_LOGIN = {
    "accessToken": {"accessKeyId": "A", "secretAccessKey": "s", "sessionToken": "t"},
    "expiresIn": 900,
    "refreshToken": "r",
}


MESSAGES = [
    # IAM Identity Center.
    (
        lambda: load("sso", "[default]\nsso_role_name = Dev\n"),
        (
            "profile default uses IAM Identity Center but does not set sso_account_id, sso_region, "
            "sso_start_url"
        ),
    ),
    (
        lambda: load("sso", "[default]\nsso_role_name = Dev\nsso_session = corp\n"),
        (
            "profile default names sso_session corp, but the config file has no section [sso-session "
            "corp]"
        ),
    ),
    (
        lambda: load("sso", f"[default]\nsso_role_name = Dev\nsso_region = us-east-1\n{SESSION}"),
        (
            "sso_region in profile default differs from [sso-session corp]: remove it from the "
            "profile"
        ),
    ),
    (
        lambda: load("sso", SSO),
        (
            "the SSO token file "
            "/home/user/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json does not exist: "
            "run `aws sso login --profile default`"
        ),
    ),
    (
        lambda: load("sso", SSO, files={SSO_CACHE: '{"accessToken": '}),
        (
            "the SSO token file "
            "/home/user/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json is not a "
            "complete JSON object: run `aws sso login --profile default`"
        ),
    ),
    (
        lambda: load("sso", SSO, files={SSO_CACHE: "{}"}),
        (
            "the SSO token file "
            "/home/user/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json must contain "
            "accessToken and expiresAt: run `aws sso login --profile default`"
        ),
    ),
    (
        lambda: sso(as_json({"message": "no access"}, 403)),
        "GetRoleCredentials for profile default failed: no access",
    ),
    (
        lambda: sso(as_json({"message": "unknown token"}, 401)),
        (
            "GetRoleCredentials for profile default failed: unknown token: run `aws sso login "
            "--profile default`"
        ),
    ),
    (
        lambda: sso(as_json({})),
        (
            "the response to GetRoleCredentials is missing accessKeyId, secretAccessKey, "
            "sessionToken, expiration"
        ),
    ),
    (
        lambda: sso(
            as_json({"message": "busy"}, 400), changes={"expiresAt": "2026-11-22T11:00:00Z"}
        ),
        (
            "the SSO token in /home/user/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json"
            " has expired: run `aws sso login --profile default`"
        ),
    ),
    # Refreshing the token of IAM Identity Center.  If that fails, the log states why the cached
    # token is used.
    (
        lambda: sso(as_json({"message": "busy"}, 400), ROLE, changes=SOON),
        (
            "could not refresh the SSO token in "
            "/home/user/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json: CreateToken "
            "failed: busy (code 400, status 400)"
        ),
    ),
    (
        lambda: sso(ROLE, changes={**SOON, "refreshToken": None, "clientId": ""}),
        (
            "could not refresh the SSO token in "
            "/home/user/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json: the file is "
            "missing refreshToken, clientId: run `aws sso login --profile default`"
        ),
    ),
    (
        lambda: sso(ROLE, changes={**SOON, "registrationExpiresAt": "2026-01-01T00:00:00Z"}),
        (
            "could not refresh the SSO token in "
            "/home/user/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json: the client "
            "registration in the file has expired: run `aws sso login --profile default`"
        ),
    ),
    (
        lambda: sso(as_json({"accessToken": "a"}), ROLE, changes=SOON),
        (
            "could not refresh the SSO token in "
            "/home/user/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json: the response to"
            " CreateToken must contain accessToken and expiresIn"
        ),
    ),
    (
        lambda: sso(as_json({"accessToken": "a\nb", "expiresIn": 900}), ROLE, changes=SOON),
        (
            "could not refresh the SSO token in "
            "/home/user/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json: the response to"
            " CreateToken has an invalid accessToken"
        ),
    ),
    (
        lambda: sso(
            as_json({"accessToken": "a", "expiresIn": 900}), ROLE, changes=SOON, io=ReadOnlyIO
        ),
        (
            "cannot write the refreshed SSO token to "
            "/home/user/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json: Permission "
            "denied"
        ),
    ),
    # Logins with `aws login`.
    (
        lambda: load("login", LOGIN, environ={"AWS_LOGIN_CACHE_DIRECTORY": "/cache"}),
        (
            "the login cache file "
            "/cache/2744ccd10c7533bd736ad890f9dd5cab2adb27b07d500b9493f29cdc420cb2e0.json does not "
            "exist: run `aws login --profile default`"
        ),
    ),
    (
        lambda: login(changes={"dpopKey": None}),
        (
            "the login cache file "
            "/cache/2744ccd10c7533bd736ad890f9dd5cab2adb27b07d500b9493f29cdc420cb2e0.json is missing "
            "dpopKey: run `aws login --profile default`"
        ),
    ),
    (
        lambda: login(changes={"accessToken": {}}),
        (
            "the login cache file "
            "/cache/2744ccd10c7533bd736ad890f9dd5cab2adb27b07d500b9493f29cdc420cb2e0.json is missing "
            "accessKeyId, secretAccessKey, sessionToken, expiresAt"
        ),
    ),
    (
        lambda: login(changes={"dpopKey": "a key"}),
        (
            "dpopKey in the login cache file "
            "/cache/2744ccd10c7533bd736ad890f9dd5cab2adb27b07d500b9493f29cdc420cb2e0.json is not a "
            "P-256 key: run `aws login --profile default`"
        ),
    ),
    (
        lambda: login(as_json({"error": "TOKEN_EXPIRED", "message": "too old"}, 400)),
        "CreateOAuth2Token for profile default failed: run `aws login` again (too old)",
    ),
    (
        lambda: login(as_json({"error": "INSUFFICIENT_PERMISSIONS", "message": "no"}, 400)),
        (
            "CreateOAuth2Token for profile default failed: grant the permission "
            "signin:CreateOAuth2Token (no)"
        ),
    ),
    (
        lambda: login(as_json({"error": "INVALID_REQUEST", "message": "no"}, 400)),
        "CreateOAuth2Token for profile default failed: no",
    ),
    (
        lambda: login(as_json({})),
        "the response to CreateOAuth2Token must contain accessToken, expiresIn and refreshToken",
    ),
    (
        lambda: login(as_json({}), expires="2026-11-22T12:02:00Z"),
        (
            "could not refresh the login in "
            "/cache/2744ccd10c7533bd736ad890f9dd5cab2adb27b07d500b9493f29cdc420cb2e0.json: the "
            "response to CreateOAuth2Token must contain accessToken, expiresIn and refreshToken"
        ),
    ),
    (
        lambda: login(as_json(NEW_LOGIN), io=ReadOnlyIO),
        (
            "cannot write the refreshed login to "
            "/cache/2744ccd10c7533bd736ad890f9dd5cab2adb27b07d500b9493f29cdc420cb2e0.json: Permission"
            " denied"
        ),
    ),
    (
        lambda: login(block=without_cryptography),
        (
            "refreshing an `aws login` session requires the cryptography package, which cannot be "
            "imported (import of cryptography.hazmat.primitives.asymmetric halted; None in "
            "sys.modules): run pip install cryptography"
        ),
    ),
    # IAM Roles Anywhere.
    (
        lambda: anywhere(settings={"ROLES_ANYWHERE_PROFILE_ARN": ""}),
        (
            "IAM Roles Anywhere requires roles_anywhere_profile_arn: set them in profile default, or "
            "as environment variables in upper case"
        ),
    ),
    (
        lambda: anywhere(settings={"ROLES_ANYWHERE_ROLE_ARN": "role/r"}),
        "roles_anywhere_role_arn is not a valid ARN",
    ),
    (
        lambda: anywhere(
            settings={"ROLES_ANYWHERE_PROFILE_ARN": "arn:aws:rolesanywhere:us-east-1:1:profile/p"}
        ),
        (
            "roles_anywhere_trust_anchor_arn is in region eu-west-1 but roles_anywhere_profile_arn is"
            " in us-east-1: both must be in the same region"
        ),
    ),
    (
        lambda: anywhere(settings={"ROLES_ANYWHERE_PRIVATE_KEY": "pkcs11:object=key"}),
        (
            "roles_anywhere_private_key is a PKCS#11 URI, which is not supported: use a PEM file, or "
            "run AWS's credential helper as credential_process"
        ),
    ),
    (
        lambda: anywhere(settings={"ROLES_ANYWHERE_SESSION_DURATION": "60"}),
        "roles_anywhere_session_duration must be 900 to 43200 seconds",
    ),
    (
        lambda: anywhere(as_json({"message": "no"}, 403)),
        "CreateSession for arn:aws:iam::123456789012:role/r failed: no",
    ),
    (
        lambda: anywhere(as_json({})),
        (
            "the response to CreateSession is missing accessKeyId, secretAccessKey, sessionToken, "
            "expiration"
        ),
    ),
    (
        lambda: anywhere(
            as_json(
                {
                    "credentialSet": [
                        {
                            "credentials": {
                                "accessKeyId": "A",
                                "secretAccessKey": "s",
                                "sessionToken": "t",
                                "expiration": "soon",
                            }
                        }
                    ]
                }
            )
        ),
        "the response to CreateSession has an invalid expiration",
    ),
    (
        lambda: anywhere(block=without_cryptography),
        (
            "IAM Roles Anywhere requires the cryptography package, which cannot be imported (import "
            "of cryptography halted; None in sys.modules): run pip install cryptography"
        ),
    ),
    # The certificate and private key for IAM Roles Anywhere.
    (
        lambda: anywhere(files={"/cert.pem": None}),
        "the certificate file /cert.pem does not exist",
    ),
    (
        lambda: anywhere(files={"/cert.pem": "text"}),
        "the certificate file /cert.pem does not contain a PEM certificate",
    ),
    (
        lambda: anywhere(files={"/cert.pem": certificate(days=-1)}),
        (
            "the certificate /cert.pem is valid only from 2026-11-13 12:00 to 2026-11-21 12:00 UTC: "
            "renew it, or correct the clock of this machine"
        ),
    ),
    (
        lambda: anywhere(settings=INTERMEDIATES, files={"/chain.pem": "text"}),
        "the intermediates file /chain.pem does not contain PEM certificates",
    ),
    (
        lambda: anywhere(files={"/key.pem": "text"}),
        "the private key file /key.pem does not contain a supported PEM key",
    ),
    (
        lambda: anywhere(files={"/key.pem": pem(ed25519.Ed25519PrivateKey.generate())}),
        "the private key file /key.pem must contain an RSA or EC key",
    ),
    (
        lambda: anywhere(files={"/key.pem": pem(ec.generate_private_key(ec.SECP256R1()))}),
        "the private key /key.pem does not match the certificate /cert.pem",
    ),
    (
        lambda: anywhere(files={"/key.pem": ENCRYPTED}),
        (
            "the private key file /key.pem is encrypted: set "
            "roles_anywhere_private_key_passphrase_file, or pass a function as key_passphrase= to "
            "default_chain"
        ),
    ),
    (
        lambda: anywhere(files={"/key.pem": ENCRYPTED}, key_passphrase=lambda _: b"right"),
        "key_passphrase must return a str for the private key file /key.pem",
    ),
    (
        lambda: anywhere(files={"/key.pem": ENCRYPTED}, key_passphrase=lambda _: "wrong"),
        (
            "the private key file /key.pem cannot be decrypted with the passphrase returned by "
            "key_passphrase"
        ),
    ),
    (
        lambda: anywhere(files={"/key.pem": ENCRYPTED, "/pass": "wrong"}, settings=PASSPHRASE),
        "the private key file /key.pem cannot be decrypted with the passphrase from /pass",
    ),
    (
        lambda: anywhere(files={"/key.pem": ENCRYPTED}, settings=PASSPHRASE),
        "the passphrase file /pass does not exist",
    ),
]
