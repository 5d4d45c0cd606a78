"""Tests that compare this package's chain with botocore's: both must find the same credentials.

Both chains get the same environment variables and files.

If a provider sends requests, only the provider's name is compared, because botocore sends the
requests later and this chain gets scripted responses.
"""

import json
import os
import threading
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import product

import pytest
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from sagemaker_runtime_client import NoCredentialsError, Response, RuntimeClientError
from sagemaker_runtime_client._io.processes import Finished
from sagemaker_runtime_client.credentials import open_context
from sagemaker_runtime_client.credentials._chain import search
from tests.runtime_client.scripted_io import ScriptedIO, run

# This chain's name for each of botocore's providers, keyed by botocore's name.
NAMES = {
    "env": "environment",
    "assume-role": "assume-role",
    "assume-role-with-web-identity": "web-identity",
    "sso": "sso",
    "shared-credentials-file": "shared-credentials-file",
    "config-file": "config-file",
    "login": "login",
    "custom-process": "process",
    "container-role": "container",
}
LAZY = {"assume-role", "web-identity", "sso"}
NOTHING, BROKEN = ("nothing",), ("broken",)

KEYS = {
    "no key": {},
    "key": {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "senv"},
    "key and token": {
        "AWS_ACCESS_KEY_ID": "AKIDENV",
        "AWS_SECRET_ACCESS_KEY": "senv",
        "AWS_SESSION_TOKEN": "tenv",
    },
    "half a key": {"AWS_ACCESS_KEY_ID": "AKIDENV"},
}
# A profile can be selected in these ways: by environment variables or by the argument.
CHOICES = {
    "default": ({}, None),
    "variable": ({"AWS_PROFILE": "work"}, None),
    "both variables": ({"AWS_DEFAULT_PROFILE": "work", "AWS_PROFILE": "default"}, None),
    "argument": ({}, "work"),
    "argument over variable": ({"AWS_PROFILE": "none"}, "work"),
}


def static(name):
    """Return static credentials as the lines of a profile."""
    return f"aws_access_key_id = AKID{name}\naws_secret_access_key = s{name}\n"


ECHO = (
    'credential_process = echo \'{"Version": 1, "AccessKeyId": "AKIDECHO",'
    ' "SecretAccessKey": "secho", "SessionToken": "techo"}\'\n'
)
ROLE = "role_arn = arn:aws:iam::123456789012:role/r\n"
SSO = "sso_account_id = 123456789012\nsso_role_name = r\n"
SESSION = "[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://x.awsapps.com/start\n"
# The content of the config file and of the credentials file.
FILES = {
    "no files": (None, None),
    "no such profile": ("[default]\nregion = eu-west-1\n", None),
    "credentials": (None, f"[work]\n{static('CRED')}"),
    "config": (f"[profile work]\n{static('CONF')}", None),
    "both files": (f"[profile work]\n{static('CONF')}", f"[work]\n{static('CRED')}"),
    "token in the other file": (
        f"[profile work]\n{static('CONF')}aws_session_token = tconf\n",
        f"[work]\n{static('CRED')}",
    ),
    "token alone in the other file": (
        f"[profile work]\n{static('CONF')}",
        "[work]\naws_session_token = tcred\n",
    ),
    "half a key": (None, "[work]\naws_access_key_id = AKIDHALF\n"),
    "two defaults": (
        "[default]\n{}[profile default]\n{}[profile work]\n{}".format(
            *map(static, ("WRONG", "RIGHT", "CONF"))
        ),
        None,
    ),
    "process": (f"[profile work]\n{ECHO}", None),
    "process and key": (f"[profile work]\n{ECHO}", f"[work]\n{static('CRED')}"),
    "process and key in one file": (f"[profile work]\n{ECHO}{static('CONF')}", None),
    "login and key in one file": (f"[profile work]\nlogin_session = me\n{static('CONF')}", None),
    "role of both": (
        f"[profile work]\n{ROLE}source_profile = base\n[profile base]\n{ECHO}{static('CONF')}",
        None,
    ),
    "role": (
        f"[profile work]\n{ROLE}source_profile = base\n[profile base]\nregion = eu-west-1\n",
        f"[base]\n{static('BASE')}",
    ),
    "role and key": (
        f"[profile work]\n{ROLE}source_profile = work\n",
        f"[work]\n{static('CRED')}",
    ),
    "role of nobody": (f"[profile work]\n{ROLE}source_profile = none\n", None),
    "web identity": (f"[profile work]\n{ROLE}web_identity_token_file = {{token}}\n", None),
    "sso": (
        f"[profile work]\nsso_session = s\n{SSO}{SESSION}",
        None,
    ),
    "login": ("[profile work]\nlogin_session = me\n", None),
    "login and process": (f"[profile work]\nlogin_session = me\n{ECHO}", None),
    "nobody's login": ("[profile work]\nlogin_session = nobody\n", None),
}
SURROUNDINGS = {
    "nowhere": {},
    "web identity": {
        "AWS_WEB_IDENTITY_TOKEN_FILE": "{token}",
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
    },
    "container": {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{container}"},
}

CONTAINER = {
    "AccessKeyId": "AKIDBOX",
    "SecretAccessKey": "sbox",
    "Token": "tbox",
    "Expiration": "2999-01-01T00:00:00Z",
}
TEMPORARY = (
    "<AccessKeyId>AKIDSTS</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
    "<SessionToken>t</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>"
)
LOGIN = {
    "accessToken": {
        "accessKeyId": "AKIDLOGIN",
        "secretAccessKey": "slogin",
        "sessionToken": "tlogin",
        "accountId": "123456789012",
        "expiresAt": "2999-01-01T00:00:00Z",
    },
    "tokenType": "aws_sigv4",
    "clientId": "client",
    "refreshToken": "refresh",
    "dpopKey": "key",
}
PORTAL = {
    "roleCredentials": {
        "accessKeyId": "AKIDSSO",
        "secretAccessKey": "s",
        "sessionToken": "t",
        "expiration": 32472144000000,
    }
}


def cloud(_io, sent):
    """Respond as the AWS services and the container agent do."""
    if "portal.sso" in sent.origin:
        return Response(200, {}, json.dumps(PORTAL).encode())
    if "sts." in sent.origin:
        action = "AssumeRoleWithWebIdentity" if b"WithWeb" in sent.request.body else "AssumeRole"
        result = f"<{action}Result><Credentials>{TEMPORARY}</Credentials></{action}Result>"
        return Response(200, {}, f"<{action}Response>{result}</{action}Response>".encode())
    return Response(200, {}, json.dumps(CONTAINER).encode())


@pytest.fixture(scope="module")
def container():
    """Start a container credentials endpoint, and return its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(CONTAINER).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            """Log nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/credentials"
        server.shutdown()
        thread.join()


@pytest.fixture
def arrange(tmp_path, monkeypatch):
    """Return a function that sets variables and writes files for both chains."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)

    def arrange(environ, config, credentials, address=""):
        token = tmp_path / "token"
        token.write_text("identity", "utf-8")
        paths = {"AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": credentials}
        files = {str(token): "identity"}
        known = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}
        for variable, text in paths.items():
            path = tmp_path / variable
            known[variable] = str(path)
            if text is not None:
                files[str(path)] = text.replace("{token}", str(token))
                path.write_text(files[str(path)], "utf-8")
        cached = {"accessToken": "a", "expiresAt": "2999-01-01T00:00:00Z"}
        name = sha1(b"s").hexdigest()
        files[str(tmp_path / f".aws/sso/cache/{name}.json")] = json.dumps(cached)
        login = tmp_path / f"{sha256(b'me').hexdigest()}.json"
        login.write_text(json.dumps(LOGIN), "utf-8")
        files[str(login)] = json.dumps(LOGIN)
        known["AWS_LOGIN_CACHE_DIRECTORY"] = str(tmp_path)
        for name, value in environ.items():
            known[name] = value.replace("{token}", str(token)).replace("{container}", address)
        for name, value in known.items():
            monkeypatch.setenv(name, value)

        def echo(arguments):
            return Finished(0, arguments[1].encode(), b"")

        return ScriptedIO(cloud, known, files=files, processes={"echo": echo})

    return arrange


def run_chain(io, profile):
    """Return this chain's provider, and its credentials unless botocore would load them later."""
    try:
        context = run(
            open_context(io, lambda _config: io, {"profile": profile, "region": "eu-west-1"})
        )
        found = run(search(context))
    except NoCredentialsError:
        return NOTHING
    except RuntimeClientError:
        return BROKEN
    name, key = found.spec.name, found.credentials
    if name in LAZY:
        return (name,)
    return (name, key.access_key_id, key.secret_access_key, key.session_token)


def run_botocore(profile):
    """Return the provider and the credentials that botocore's chain finds."""
    try:
        session = Session(profile=profile)
        session.get_scoped_config()  # This raises an error if a named profile does not exist.
        found = session.get_credentials()
        if found is None:
            return NOTHING
        name = NAMES[found.method]
        if name in LAZY:
            return (name,)
        key = found.get_frozen_credentials()
    except BotoCoreError:
        return BROKEN
    return (name, key.access_key, key.secret_key, key.token)


def test_size_of_the_matrix():
    """The matrix has 1,320 combinations."""
    assert len(KEYS) * len(CHOICES) * len(FILES) * len(SURROUNDINGS) == 1320


@pytest.mark.parametrize("files", FILES)
@pytest.mark.parametrize("choice", CHOICES)
def test_chains_agree(arrange, container, choice, files):
    """Both chains find the same provider and credentials in every combination."""
    variables, profile = CHOICES[choice]
    outcomes, expected = {}, {}
    for keys, surroundings in product(KEYS, SURROUNDINGS):
        with pytest.MonkeyPatch.context() as patch:
            environ = variables | KEYS[keys] | SURROUNDINGS[surroundings]
            for name in {
                name for of in (KEYS, SURROUNDINGS) for row in of.values() for name in row
            }:
                patch.delenv(name, raising=False)
            io = arrange(environ, *FILES[files], container)
            for name in set(os.environ) - set(io.environ):
                if name.startswith("AWS_"):
                    patch.delenv(name)
            outcomes[keys, surroundings] = run_chain(io, profile)
            expected[keys, surroundings] = run_botocore(profile)
    assert outcomes == expected


@pytest.mark.parametrize(
    ("region", "default_region", "profile_region"),
    list(product([None, "region-1"], [None, "default-1"], [None, "profile-1"])),
    ids=str,
)
def test_regions(arrange, region, default_region, profile_region):
    """This package and botocore find the same region, except that botocore ignores AWS_REGION."""
    environ = {"AWS_REGION": region, "AWS_DEFAULT_REGION": default_region}
    config = f"[default]\nregion = {profile_region}\n" if profile_region else "[default]\n"
    io = arrange({name: text for name, text in environ.items() if text}, config, None)
    found = run(open_context(io, lambda _config: io, {})).config.region
    assert found == (region or Session().get_config_variable("region"))


def test_older_name_of_the_token(arrange):
    """If both variables for the token are set, this chain prefers AWS_SESSION_TOKEN, like other SDKs.

    botocore prefers the older AWS_SECURITY_TOKEN.  Lambda sets both variables to the same value.
    """
    key = KEYS["key and token"]
    io = arrange({**key, "AWS_SECURITY_TOKEN": "old"}, None, None)
    assert run_chain(io, None)[3] == "tenv"
    assert run_botocore(None)[3] == "old"


def test_duplicate_section(arrange):
    """If a section occurs twice, this chain accepts the file, whereas botocore rejects the whole
    file.
    """
    io = arrange({"AWS_PROFILE": "work"}, "[profile work]\na = 1\n[profile work]\nb = 2\n", None)
    assert (run_chain(io, None), run_botocore(None)) == (NOTHING, BROKEN)


@pytest.mark.parametrize(
    "name", ["Team-[prod]/Admin", "Acme(prod)", "prod,eu", "Büro", "prod!", "a b"]
)
@pytest.mark.parametrize("way", ["argument", "variable"])
@pytest.mark.parametrize("file", ["config", "credentials"])
def test_names_of_profiles(arrange, name, way, file):
    """Like botocore, this chain finds a profile whose name has special characters or a space."""
    heading = f'profile "{name}"' if file == "config" and " " in name else f"profile {name}"
    config = f"[{heading}]\n{static('CONF')}[profile other]\nregion: us-east-1\n"
    texts = (config, None) if file == "config" else (None, f"[{name}]\n{static('CRED')}")
    io = arrange({"AWS_PROFILE": name} if way == "variable" else {}, *texts)
    profile = name if way == "argument" else None
    assert run_chain(io, profile) == run_botocore(profile)
    assert run_chain(io, profile)[0].endswith("-file")
