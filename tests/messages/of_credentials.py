"""Messages about credentials: the chain, the environment, files, programs, roles and local agents."""

from sagemaker_runtime_client import CredentialProviderError
from sagemaker_runtime_client.credentials._fetching import parse_timestamp
from tests.messages.providers import MALFORMED_KEY, always, as_json, as_xml, load, refresh, wrote
from tests.runtime_client.scripted_io import dropped

# The files and folders of the product whose messages must all be in a table.
COVERED = ("runtime_client/sagemaker_runtime_client/credentials",)

ROLE = "[default]\nrole_arn = arn:aws:iam::123456789012:role/r\n"
SOURCE = "source_profile = me\n[profile me]\naws_access_key_id = AKID\naws_secret_access_key = s\n"
MFA = f"{ROLE}mfa_serial = arn:aws:iam::123456789012:mfa/me\n{SOURCE}"
PROCESS = "[default]\ncredential_process = vault\n"
IDENTITY = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"}
FULL = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/creds"}
TOKEN = as_json("a-token")
ASSUMED = (
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKID</AccessKeyId>"
    "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
    "<Expiration>2026-11-22T13:00:00Z</Expiration></Credentials></AssumeRoleResult>"
    "</AssumeRoleResponse>"
)
KEYS = {"AccessKeyId": "AKID", "SecretAccessKey": "s", "Token": "t", "Expiration": "x"}
VAULT = CredentialProviderError("the vault is sealed", provider="process")


def fail(_argument):
    """Raise an error, as a user's function may do."""
    raise ValueError("a secret")


MESSAGES = [
    # The chain and its cache.
    (
        lambda: load("chain", environ={"AWS_EC2_METADATA_DISABLED": "true"}),
        (
            "no credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or configure a "
            "profile, or pass credentials= to the client. Providers tried: environment "
            "(AWS_ACCESS_KEY_ID is not set); assume-role (profile default has no role_arn); "
            "web-identity (neither AWS_WEB_IDENTITY_TOKEN_FILE nor web_identity_token_file of profile"
            " default is set); sso (profile default has neither sso_account_id nor sso_role_name); "
            "shared-credentials-file (profile default has no aws_access_key_id in the credentials "
            "file); login (profile default has no login_session); process (profile default has no "
            "credential_process); config-file (profile default has no aws_access_key_id in the config"
            " file); roles-anywhere (neither ROLES_ANYWHERE_ROLE_ARN nor roles_anywhere_role_arn of "
            "profile default is set); container (neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor "
            "AWS_CONTAINER_CREDENTIALS_FULL_URI is set); instance-metadata (AWS_EC2_METADATA_DISABLED"
            " is true, the metadata service did not respond, or it has no role)"
        ),
    ),
    (
        lambda: load("chain", environ={"AWS_EC2_METADATA_DISABLED": "true"}, explicit=True),
        (
            "no credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or configure a "
            "profile, or pass credentials= to the client. Providers tried: environment (profile "
            "default was selected explicitly); assume-role (profile default has no role_arn); "
            "web-identity (neither AWS_WEB_IDENTITY_TOKEN_FILE nor web_identity_token_file of profile"
            " default is set); sso (profile default has neither sso_account_id nor sso_role_name); "
            "shared-credentials-file (profile default has no aws_access_key_id in the credentials "
            "file); login (profile default has no login_session); process (profile default has no "
            "credential_process); config-file (profile default has no aws_access_key_id in the config"
            " file); roles-anywhere (neither ROLES_ANYWHERE_ROLE_ARN nor roles_anywhere_role_arn of "
            "profile default is set); container (neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor "
            "AWS_CONTAINER_CREDENTIALS_FULL_URI is set); instance-metadata (AWS_EC2_METADATA_DISABLED"
            " is true, the metadata service did not respond, or it has no role)"
        ),
    ),
    (
        lambda: refresh("process", None, 0),
        (
            "loaded credentials AKIDEXAMPLE from provider process, which expire at 2026-11-22 "
            "13:00:00+00:00"
        ),
    ),
    (
        lambda: refresh("process", VAULT, 2700),
        (
            "credential refresh failed (the vault is sealed); using the current credentials until "
            "2026-11-22 13:00:00+00:00"
        ),
    ),
    (
        lambda: refresh("process", OSError("a secret"), 3600),
        "credential provider process raised OSError",
    ),
    (
        lambda: refresh("process", "none", 3600),
        (
            "credential provider process no longer has credentials: restore its settings, or restart "
            "the program to search all providers again"
        ),
    ),
    (
        lambda: refresh("process", "expired", 3600),
        (
            "credential provider process returned credentials that expired at 2026-11-22 "
            "12:00:00+00:00: renew them, or correct the clock of this machine"
        ),
    ),
    (
        lambda: refresh("instance-metadata", VAULT, 3600),
        (
            "credential refresh failed (the vault is sealed); extending the current credentials until"
            " 2026-11-22 13:21:00+00:00"
        ),
    ),
    # Environment variables.
    (
        lambda: load("environment", environ={"AWS_ACCESS_KEY_ID": "AKID"}),
        "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not",
    ),
    (
        lambda: load(
            "environment",
            environ={
                "AWS_ACCESS_KEY_ID": "AKID",
                "AWS_SECRET_ACCESS_KEY": "s",
                "AWS_CREDENTIAL_EXPIRATION": "soon",
            },
        ),
        (
            "the credentials in environment variables are malformed: AWS_CREDENTIAL_EXPIRATION must "
            "be in ISO 8601, such as 2026-11-22T12:00:00Z"
        ),
    ),
    # Static credentials in the shared files.
    (
        lambda: load("config-file", "[default]\naws_access_key_id = AKID\n"),
        "profile default has aws_access_key_id but no aws_secret_access_key",
    ),
    (
        lambda: load(
            "config-file", "[default]\naws_access_key_id = AK ID\naws_secret_access_key = s\n"
        ),
        f"the credentials of profile default are malformed: {MALFORMED_KEY}",
    ),
    # credential_process.
    (
        lambda: load("process", "[default]\ncredential_process = vault 'dev\n"),
        "credential_process (profile default) cannot be parsed: No closing quotation",
    ),
    (
        lambda: load(
            "process",
            PROCESS,
            processes={"vault": FileNotFoundError(2, "No such file or directory")},
        ),
        "credential_process (profile default) failed to run 'vault': No such file or directory",
    ),
    (
        lambda: load("process", PROCESS, processes=wrote(status=3, stderr="vault: log in first\n")),
        "credential_process (profile default) exited with status 3: vault: log in first",
    ),
    (
        lambda: load("process", PROCESS, processes=wrote("AKID")),
        "output of credential_process (profile default) is not a JSON object",
    ),
    (
        lambda: load("process", PROCESS, processes=wrote('{"AccessKeyId": "AKID"}')),
        'output of credential_process (profile default) must contain "Version": 1',
    ),
    (
        lambda: load("process", PROCESS, processes=wrote('{"Version": 1, "AccessKeyId": "AKID"}')),
        "output of credential_process (profile default) is missing SecretAccessKey",
    ),
    # Roles that a profile assumes.
    (
        lambda: load("assume-role", ROLE),
        (
            "profile default: role_arn requires either source_profile or credential_source, but "
            "neither is set"
        ),
    ),
    (
        lambda: load(
            "assume-role", f"{ROLE}source_profile = me\ncredential_source = Environment\n"
        ),
        (
            "profile default: role_arn requires either source_profile or credential_source, but both "
            "are set"
        ),
    ),
    (
        lambda: load("assume-role", f"{ROLE}credential_source = Vault\n"),
        (
            "profile default: credential_source must be one of Ec2InstanceMetadata, EcsContainer, "
            "Environment, not Vault"
        ),
    ),
    (
        lambda: load("assume-role", f"{ROLE}credential_source = Environment\n"),
        "profile default: credential_source Environment has no credentials",
    ),
    (
        lambda: load("assume-role", f"{ROLE}source_profile = me\n"),
        "profile default: source_profile me does not exist",
    ),
    (
        lambda: load(
            "assume-role", f"{ROLE}source_profile = me\n[profile me]\nregion = eu-west-1\n"
        ),
        "profile default: source_profile me has no credentials",
    ),
    (
        lambda: load("assume-role", f"{ROLE}source_profile = default\n"),
        "the source_profile settings form a cycle: default -> default",
    ),
    (
        lambda: load("assume-role", MFA),
        (
            "profile default requires an MFA code (mfa_serial): pass a function as mfa_token= to "
            "default_chain"
        ),
    ),
    (
        lambda: load("assume-role", MFA, mfa_token=lambda _: "12 34"),
        "the MFA code of device arn:aws:iam::123456789012:mfa/me must be a string of digits",
    ),
    (
        lambda: load("assume-role", MFA, mfa_token=fail),
        "the mfa_token function raised ValueError",
    ),
    (
        lambda: load(
            "assume-role",
            f"{ROLE}{SOURCE}",
            as_xml(
                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not allowed</Message></Error></ErrorResponse>",
                403,
            ),
        ),
        "AssumeRole for profile default failed: not allowed",
    ),
    (
        lambda: load("assume-role", f"{ROLE}{SOURCE}", as_xml("")),
        (
            "the response to AssumeRole for profile default is missing AccessKeyId, SecretAccessKey, "
            "SessionToken, Expiration"
        ),
    ),
    (
        lambda: load("assume-role", f"{ROLE}duration_seconds = 1h\n{SOURCE}", as_xml(ASSUMED)),
        "profile default: duration_seconds is not a number and is ignored",
    ),
    # Web identities, and credential files in general.
    (
        lambda: load("web-identity", environ={"AWS_WEB_IDENTITY_TOKEN_FILE": "/token"}),
        (
            "a web identity token file is configured without a role: set AWS_ROLE_ARN, or role_arn in"
            " profile default"
        ),
    ),
    (
        lambda: load("web-identity", environ=IDENTITY),
        "the web identity token file /token does not exist",
    ),
    (
        lambda: load("web-identity", environ=IDENTITY, files={"/token": ""}),
        "the web identity token file /token is empty",
    ),
    (
        lambda: load("web-identity", environ=IDENTITY, files={"/token": b"\xff"}),
        "the web identity token file /token is not UTF-8 text",
    ),
    (
        lambda: load(
            "web-identity",
            environ=IDENTITY,
            files={"/token": PermissionError(13, "Permission denied")},
        ),
        "the web identity token file /token cannot be read: Permission denied",
    ),
    (
        lambda: parse_timestamp(10**30),
        "timestamp is out of range",
    ),
    (
        lambda: parse_timestamp([]),
        "timestamp must be a str or an int",
    ),
    # Containers.
    (
        lambda: load("container", environ={"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "creds"}),
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must be a URL path that starts with /",
    ),
    (
        lambda: load("container", environ={"AWS_CONTAINER_CREDENTIALS_FULL_URI": "localhost"}),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI must be a URL such as http://host:port/path",
    ),
    (
        lambda: load(
            "container", environ={"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/"}
        ),
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI must use https for the host example.com: plain http "
            "is allowed only for loopback addresses and 169.254.170.2, 169.254.170.23, fd00:ec2::23, "
            "localhost"
        ),
    ),
    (
        lambda: load("container", environ={**FULL, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a\nb"}),
        "AWS_CONTAINER_AUTHORIZATION_TOKEN must be a single line of printable ASCII",
    ),
    (
        lambda: load(
            "container",
            environ={**FULL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/t"},
            files={"/t": "a\nb"},
        ),
        "the token in /t must be a single line of printable ASCII",
    ),
    (
        lambda: load("container", environ={**FULL, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/t"}),
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: the file /t does not exist",
    ),
    (
        lambda: load("container", "", *always(dropped("connection refused")), environ=FULL),
        "the container credentials request to http://127.0.0.1 failed: connection refused",
    ),
    (
        lambda: load("container", "", *always(as_json({}, 403)), environ=FULL),
        "the container credentials request to http://127.0.0.1 was rejected",
    ),
    (
        lambda: load("container", "", *always(as_json("busy")), environ=FULL),
        "the container credentials response from http://127.0.0.1 is not a JSON object",
    ),
    (
        lambda: load("container", "", *always(as_json({"AccessKeyId": "AKID"})), environ=FULL),
        "the container credentials response from http://127.0.0.1 is missing SecretAccessKey",
    ),
    (
        lambda: load(
            "container",
            "",
            *always(as_json({**KEYS, "Expiration": None, "AccessKeyId": "AK ID"})),
            environ=FULL,
        ),
        f"the container credentials response from http://127.0.0.1 is malformed: {MALFORMED_KEY}",
    ),
    # The instance metadata service.
    (
        lambda: load("instance-metadata", environ={"AWS_EC2_METADATA_SERVICE_ENDPOINT": "host"}),
        (
            "ec2_metadata_service_endpoint (AWS_EC2_METADATA_SERVICE_ENDPOINT) must be a URL such as "
            "http://host:port"
        ),
    ),
    (
        lambda: load(
            "instance-metadata",
            "",
            as_json({}, 403),
            environ={"AWS_EC2_METADATA_V1_DISABLED": "true"},
        ),
        (
            "the instance metadata service at http://169.254.169.254 returned no IMDSv2 token, and "
            "IMDSv1 is disabled by ec2_metadata_v1_disabled"
        ),
    ),
    (
        lambda: load("instance-metadata", "", TOKEN, as_json("<html>")),
        "the instance metadata service at http://169.254.169.254 returned an invalid role name",
    ),
    (
        lambda: load(
            "instance-metadata",
            "",
            TOKEN,
            as_json("role"),
            as_json({"Code": "AssumeRoleUnauthorizedAccess"}),
        ),
        (
            "the instance metadata service returned no credentials (code "
            "AssumeRoleUnauthorizedAccess)"
        ),
    ),
    (
        lambda: load("instance-metadata", "", TOKEN, as_json("role"), as_json(KEYS)),
        "the instance metadata response has an invalid Expiration",
    ),
    (
        lambda: load(
            "instance-metadata",
            "",
            TOKEN,
            as_json("role"),
            as_json({**KEYS, "Expiration": "2026-11-22T12:05:00Z"}),
        ),
        (
            "the instance metadata service returned credentials that expire at 2026-11-22 "
            "12:05:00+00:00; using them until 2026-11-22 12:16:00+00:00"
        ),
    ),
    (
        lambda: load("instance-metadata", "", TOKEN, as_json({}, 404)),
        (
            "instance metadata request for /latest/meta-data/iam/security-credentials/ got no usable "
            "response (status 404)"
        ),
    ),
    (
        lambda: load("instance-metadata", "", TOKEN, dropped("connection refused")),
        (
            "instance metadata request for /latest/meta-data/iam/security-credentials/ failed: "
            "connection refused"
        ),
    ),
]
