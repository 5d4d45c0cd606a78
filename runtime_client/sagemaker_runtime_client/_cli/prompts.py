"""Prompts on the terminal."""

import os
import sys

from .._errors import CredentialProviderError


def mfa_token(serial: str) -> str:
    """Prompt for the code of an MFA device, as the AWS CLI does, and return the code.

    Raises:
        CredentialProviderError: The process has no terminal.
    """
    if not _has_terminal():
        raise CredentialProviderError(
            f"the code of MFA device {serial} is required, but there is no terminal to enter it: "
            "run `sagemaker-runtime credentials --profile NAME --export env` in a terminal, set the "
            "variables that it prints, and omit --profile here",
            provider="assume-role",
        )
    from getpass import getpass

    return getpass(f"Enter MFA code for {serial}: ").strip()


def _has_terminal() -> bool:
    """Return whether `getpass` finds a terminal.

    On POSIX, `getpass` reads from ``/dev/tty``, so it works even if stdin is redirected, for example
    to supply a payload.
    """
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except (OSError, AttributeError):  # there is no terminal, or this is Windows
        return sys.stdin.isatty()
    return True
