"""
Credentials from a program: ``credential_process``.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html, which
asks programs to write no secrets to stderr, since SDKs may log it.
"""

import shlex
from typing import ClassVar

from sigv4 import Credentials

from .._limits import PROCESS_OUTPUT_SIZE
from ._provider import Context
from ._values import PASCAL_CASE, credentials_from, failure, json_object, profile_section, setting

_NAME = "process"
_LONGEST_REASON = 500


class ProcessProvider:
    """The profile's ``credential_process``, split as a shell would, and run without one."""

    name: ClassVar[str] = _NAME

    async def load(self, context: Context) -> Credentials | None:
        """
        Run the program, and return the credentials that it writes; None if there is no program.

        Raises:
            CredentialProviderError: It cannot be run, fails, or writes something else.
        """
        command = setting(profile_section(context), "credential_process")
        if command is None:
            return None
        whose = f"credential_process of profile {context.profile}"
        try:
            arguments = shlex.split(command)
        except ValueError as error:
            raise failure(_NAME, f"{whose} cannot be split: {error}") from None
        if not arguments:
            raise failure(_NAME, f"{whose} is empty")
        try:
            finished = await context.io.run_process(arguments, PROCESS_OUTPUT_SIZE)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise failure(_NAME, f"{whose} cannot be used: {arguments[0]}: {reason}") from error
        if finished.status != 0:
            reason = finished.stderr.decode("utf-8", "replace").strip()[-_LONGEST_REASON:]
            raise failure(
                _NAME, f"{whose} ended with status {finished.status}: {reason}", retryable=True
            )
        parts = json_object(finished.stdout)
        if parts is None:
            raise failure(_NAME, f"what {whose} wrote is no JSON object", retryable=True)
        if parts.get("Version") != 1:
            raise failure(_NAME, f"what {whose} wrote has not Version 1")
        where = f"what {whose} wrote"
        account_id = parts.get("AccountId") or setting(profile_section(context), "aws_account_id")
        return credentials_from(_NAME, where, parts, PASCAL_CASE, account_id, temporary=False)
