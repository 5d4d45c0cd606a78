"""What a person is asked on the terminal."""

import os
import sys

from .._errors import CredentialProviderError


def mfa_token(serial: str) -> str:
    """
    Ask for the code of an MFA device, as the AWS CLI does.

    Raises:
        CredentialProviderError: There is no terminal.
    """
    if not _has_terminal():
        raise CredentialProviderError(
            f"the code of the MFA device {serial} is asked for on a terminal, and there is none: "
            "run `sagemaker-runtime credentials --profile NAME --export env` on one, set the "
            "variables that it prints, and leave --profile out here",
            provider="assume-role",
        )
    from getpass import getpass

    return getpass(f"Enter MFA code for {serial}: ").strip()


def _has_terminal() -> bool:
    """Tell whether `getpass` finds a terminal, which need not be stdin: the payload may be there."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except (OSError, AttributeError):  # Windows has neither
        return sys.stdin.isatty()
    return True
