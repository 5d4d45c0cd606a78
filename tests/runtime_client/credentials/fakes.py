"""Fake credential services on 127.0.0.1, which verify each request with their own code.

The fakes follow the documentation of the real services.  A test can replace a fake's next responses
with the entries of `Fake.faults`.
"""

import json
from base64 import b64decode, urlsafe_b64decode
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

from sigv4 import Credentials
from tests.runtime_client.loopback import response

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/analyst"


def soon(seconds=3600):
    """Return the time *seconds* from now, rounded down to a full second."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).replace(microsecond=0)


def iso(moment):
    """Return a time in the format of AWS services: ISO 8601 in UTC without fractions of a second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def as_json(document, status=200, headers=()):
    """Return a response with a JSON body."""
    headers = {"Content-Type": "application/json", **dict(headers)}
    return response(json.dumps(document).encode(), status, headers)


class Fake:
    """A fake service that `Loopback` runs.

    Attributes:
        faults: Replacements for the next responses: bytes, or functions of the request.  Empty
            bytes close the connection without a response.
        ends: The expiration of the credentials that the service issues.
        issued: The credentials that the service has issued, keyed by access key id.
    """

    def __init__(self):
        self.faults = deque()
        self.ends = soon()
        self.issued = {}
        self._numbers = count(1)

    def __call__(self, request, _connection):
        if self.faults:
            fault = self.faults.popleft()
            return fault(request) if isinstance(fault, Callable) else fault
        return self.respond(request)

    def credentials(self, kind):
        """Issue new credentials, and store them in `issued`."""
        number = next(self._numbers)
        credentials = Credentials(
            f"ASIA{kind}{number}", f"canary-secret-{kind}-{number}", f"canary-token-{kind}-{number}"
        )
        self.issued[credentials.access_key_id] = credentials
        return credentials


class STS(Fake):
    """A fake STS, which requires signed AssumeRole and unsigned AssumeRoleWithWebIdentity requests.

    Args:
        known: Credentials that may sign requests, in addition to those that the service has issued.

    Attributes:
        host: The host for which requests are signed, if it differs from the host of this service
            because the test redirects them.
    """

    host = None

    def __init__(self, *known, region="eu-west-1", web_token="canary-web-token"):
        super().__init__()
        self.issued |= {credentials.access_key_id: credentials for credentials in known}
        self.region = region
        self.web_token = web_token
        self.received = []

    def respond(self, request):
        assert (request.method, request.target) == ("POST", "/")
        form = dict(parse_qsl(request.body.decode(), strict_parsing=True))
        self.received.append(form)
        assert form["Version"] == "2011-06-15"
        action = form["Action"]
        if action == "AssumeRole":
            key_id = request.header("authorization").split("Credential=")[1].split("/")[0]
            host = ("host", self.host or request.header("host"))
            headers = [pair for pair in request.headers if pair[0].lower() != "host"]
            signed = request._replace(headers=[host, *headers])
            scheme = "https" if self.host else "http"
            signed.verify(self.issued[key_id], "sts", self.region, scheme)
        else:
            assert action == "AssumeRoleWithWebIdentity"
            assert request.header("authorization") is None
            if form["WebIdentityToken"] != self.web_token:
                return sts_error("InvalidIdentityToken", f"no: {form['WebIdentityToken']}")
        keys = self.credentials("STS")
        _, _, role = form["RoleArn"].rpartition("/")
        return response(
            f"""<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
              <{action}Result>
                <AssumedRoleUser>
                  <Arn>arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{form["RoleSessionName"]}</Arn>
                  <AssumedRoleId>AROA:{form["RoleSessionName"]}</AssumedRoleId>
                </AssumedRoleUser>
                <Credentials>
                  <AccessKeyId>{keys.access_key_id}</AccessKeyId>
                  <SecretAccessKey>{keys.secret_access_key}</SecretAccessKey>
                  <SessionToken>{keys.session_token}</SessionToken>
                  <Expiration>{iso(self.ends)}</Expiration>
                </Credentials>
              </{action}Result>
            </{action}Response>""".encode()
        )


def sts_error(code, message, status=400):
    """Return an STS error response, in the format of the AWS query protocol."""
    text = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{message}</Message></Error><RequestId>R</RequestId>"
        "</ErrorResponse>"
    )
    return response(text.encode(), status, {"x-amzn-requestid": "R1"})


class SSO(Fake):
    """A fake of the portal and the token service of IAM Identity Center."""

    access_token = "canary-access-token"
    refresh_token = "canary-refresh-token"
    client_secret = "canary-client-secret"
    lifetime = 28800

    def respond(self, request):
        assert request.header("authorization") is None
        if request.method == "POST":
            return self._token(request)
        url = urlsplit(request.target)
        assert url.path == "/federation/credentials"
        assert parse_qs(url.query) == {"role_name": ["Dev & co"], "account_id": [ACCOUNT]}
        if request.header("x-amz-sso_bearer_token") != self.access_token:
            return as_json({"message": "Session token not found or invalid"}, 401)
        keys = self.credentials("SSO")
        return as_json(
            {
                "roleCredentials": {
                    "accessKeyId": keys.access_key_id,
                    "secretAccessKey": keys.secret_access_key,
                    "sessionToken": keys.session_token,
                    "expiration": int(self.ends.timestamp()) * 1000,
                }
            }
        )

    def _token(self, request):
        assert request.target == "/token"
        expected = {
            "grantType": "refresh_token",
            "clientId": "client",
            "clientSecret": self.client_secret,
            "refreshToken": self.refresh_token,
        }
        if expected != json.loads(request.body):
            return as_json({"error": "invalid_grant", "error_description": "no"}, 400)
        self.access_token, self.refresh_token = "canary-access-2", "canary-refresh-2"
        return as_json(
            {
                "accessToken": self.access_token,
                "refreshToken": self.refresh_token,
                "expiresIn": self.lifetime,
                "tokenType": "Bearer",
            }
        )


class SignIn(Fake):
    """A fake of the token service that ``aws login`` uses.

    Attributes:
        public_key: The public key that verifies the proofs.
        url: The URL of the service, which the proofs must contain.
    """

    refresh_token = "canary-login-refresh"

    def __init__(self, public_key):
        super().__init__()
        self.public_key = public_key
        self.url = None
        self.proofs = set()

    def respond(self, request):
        assert (request.method, request.target) == ("POST", "/v1/token")
        assert request.header("authorization") is None
        self._check(request.header("dpop"))
        expected = {
            "clientId": "arn:aws:signin:::devtools/same-device",
            "grantType": "refresh_token",
            "refreshToken": self.refresh_token,
        }
        assert json.loads(request.body) == expected
        self.refresh_token += "-2"
        keys = self.credentials("LOGIN")
        return as_json(
            {
                "accessToken": {
                    "accessKeyId": keys.access_key_id,
                    "secretAccessKey": keys.secret_access_key,
                    "sessionToken": keys.session_token,
                },
                "tokenType": "aws_sigv4",
                "expiresIn": 900,
                "refreshToken": self.refresh_token,
            }
        )

    def _check(self, proof):
        """Verify a DPoP proof as RFC 9449, section 4.3, requires."""
        header, claims, signature = proof.split(".")
        jose_header = json.loads(unbase64url(header))
        assert (jose_header["typ"], jose_header["alg"]) == ("dpop+jwt", "ES256")
        # The header must not contain the private key.
        assert set(jose_header["jwk"]) == {"kty", "crv", "x", "y"}
        x, y = (int.from_bytes(unbase64url(jose_header["jwk"][name])) for name in "xy")
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        assert self.public_key == key
        raw = unbase64url(signature)
        assert len(raw) == 64
        r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
        key.verify(
            utils.encode_dss_signature(r, s),
            f"{header}.{claims}".encode(),
            ec.ECDSA(hashes.SHA256()),
        )
        proof_claims = json.loads(unbase64url(claims))
        assert {name: proof_claims[name] for name in ("htm", "htu")} == {
            "htm": "POST",
            "htu": f"{self.url}/v1/token",
        }
        assert abs(datetime.now(UTC).timestamp() - proof_claims["iat"]) < 60
        assert proof_claims["jti"] not in self.proofs
        self.proofs.add(proof_claims["jti"])


def unbase64url(text):
    """Decode base64url without padding; padding is rejected."""
    assert "=" not in text
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Container(Fake):
    """A fake ECS or EKS Pod Identity agent. If `token` is set, requests must contain this token."""

    token = None

    def respond(self, request):
        assert request.method == "GET"
        if request.header("authorization") != self.token:
            return as_json({"code": "AccessDenied", "message": f"not {self.token}"}, 403)
        keys = self.credentials("ECS")
        return as_json(
            {
                "AccessKeyId": keys.access_key_id,
                "SecretAccessKey": keys.secret_access_key,
                "Token": keys.session_token,
                "Expiration": iso(self.ends),
                "AccountId": ACCOUNT,
            }
        )


class IMDS(Fake):
    """A fake of the instance metadata service.

    Attributes:
        version_1: Whether the service also accepts requests without a token.
        role: The name of the instance's role.
    """

    version_1 = False
    role = "my-role"
    token = "canary-imds-token=="

    def respond(self, request):
        if request.target == "/latest/api/token":
            assert request.method == "PUT"
            assert request.header("x-aws-ec2-metadata-token-ttl-seconds") == "21600"
            return response(self.token.encode())
        assert request.method == "GET"
        shown = request.header("x-aws-ec2-metadata-token")
        if shown != self.token and not (self.version_1 and shown is None):
            return response(b"", 401)
        _, _, role = request.target.partition("/latest/meta-data/iam/security-credentials/")
        if not role:
            return response(self.role.encode())
        assert self.role == role
        keys = self.credentials("IMDS")
        return as_json(
            {
                "Code": "Success",
                "Type": "AWS-HMAC",
                "AccessKeyId": keys.access_key_id,
                "SecretAccessKey": keys.secret_access_key,
                "Token": keys.session_token,
                "Expiration": iso(self.ends),
            }
        )


class RolesAnywhere(Fake):
    """A fake of IAM Roles Anywhere with one trusted root certificate.

    Attributes:
        received: The query, the body and the algorithm of each CreateSession request.
    """

    def __init__(self, root, region="eu-west-1"):
        super().__init__()
        self.root = root
        self.region = region
        self.received = []

    def respond(self, request):
        url = urlsplit(request.target)
        assert (request.method, url.path) == ("POST", "/sessions")
        algorithm = self._check(request, url.query)
        self.received.append((dict(parse_qsl(url.query)), json.loads(request.body), algorithm))
        keys = self.credentials("RA")
        parts = {
            "accessKeyId": keys.access_key_id,
            "secretAccessKey": keys.secret_access_key,
            "sessionToken": keys.session_token,
            "expiration": iso(self.ends),
        }
        return as_json({"credentialSet": [{"credentials": parts}], "subjectArn": "arn"}, 201)

    def _check(self, request, query):
        """Verify the certificates and the signature, and return the name of the algorithm.

        Source: https://docs.aws.amazon.com/rolesanywhere/latest/userguide/authentication-sign-process.html
        """
        leaf = x509.load_der_x509_certificate(b64decode(request.header("x-amz-x509")))
        chain = [
            x509.load_der_x509_certificate(b64decode(part))
            for part in (request.header("x-amz-x509-chain") or "").split(",")
            if part
        ]
        for subject, issuer in zip([leaf, *chain], [*chain, self.root], strict=True):
            subject.verify_directly_issued_by(issuer)
        algorithm, _, rest = request.header("authorization").partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        serial, scope = parts["Credential"].split("/", 1)
        date = request.header("x-amz-date")
        assert str(leaf.serial_number) == serial
        assert f"{date[:8]}/{self.region}/rolesanywhere/aws4_request" == scope
        at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
        names = parts["SignedHeaders"].split(";")
        present = {name.lower() for name, _ in request.headers}
        unsigned = {"authorization", "user-agent", "content-length"}
        assert sorted(present - unsigned) == names
        canonical = "\n".join(
            [
                "POST",
                "/sessions",
                "&".join(
                    f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
                    for name, value in sorted(parse_qsl(query))
                ),
                *[f"{name}:{request.header(name)}" for name in names],
                "",
                parts["SignedHeaders"],
                sha256(request.body).hexdigest(),
            ]
        )
        text = "\n".join([algorithm, date, scope, sha256(canonical.encode()).hexdigest()])
        signature, key = bytes.fromhex(parts["Signature"]), leaf.public_key()
        if isinstance(key, ec.EllipticCurvePublicKey):
            assert algorithm == "AWS4-X509-ECDSA-SHA256"
            key.verify(signature, text.encode(), ec.ECDSA(hashes.SHA256()))
        else:
            assert algorithm == "AWS4-X509-RSA-SHA256"
            key.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return algorithm
