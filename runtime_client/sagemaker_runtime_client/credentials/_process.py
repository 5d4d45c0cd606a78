"""Loads credentials from the output of a program, the ``credential_process`` of a profile.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html, which
requests that programs write no secrets to stderr, because SDKs may log it.
"""

import shlex

from sigv4 import Credentials

from .._limits import PROCESS_OUTPUT_SIZE
from ._fetching import PASCAL_CASE, FetchingProvider, json_object

_LONGEST_REASON = 500


class ProcessProvider(FetchingProvider):
    """Runs the profile's ``credential_process``, a command line, without a shell."""

    async def load(self) -> Credentials | None:
        """Return the credentials that the program writes, or None if no program is configured.

        Raises:
            CredentialProviderError: The program cannot be run, fails, or writes malformed output.
        """
        command = self.setting("credential_process")
        if command is None:
            return None
        label = f"credential_process (profile {self.context.profile})"
        output = f"output of {label}"
        parts = json_object(await self._run(label, command))
        if parts is None:
            raise self.failure(f"{output} is not a JSON object", retryable=True)
        if parts.get("Version") != 1:
            raise self.failure(f'{output} must contain "Version": 1')
        account_id = parts.get("AccountId") or self.setting("aws_account_id")
        return self.parse_credentials(output, parts, PASCAL_CASE, account_id, temporary=False)

    async def _run(self, label: str, command: str) -> bytes:
        """Run the command and return what it writes to stdout."""
        try:
            arguments = shlex.split(command)
        except ValueError as error:
            raise self.failure(f"{label} cannot be parsed: {error}") from None
        if not arguments:
            raise self.failure(f"{label} is empty")
        try:
            finished = await self.system.run_process(arguments, PROCESS_OUTPUT_SIZE)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise self.failure(f"{label} failed to run {arguments[0]!r}: {reason}") from error
        if finished.status != 0:
            reason = finished.stderr.decode("utf-8", "replace").strip()[-_LONGEST_REASON:]
            message = f"{label} exited with status {finished.status}: {reason}"
            raise self.failure(message, retryable=True)
        return finished.stdout
