"""Rewrites error messages for the shell, with options in place of Python arguments."""

import re

from .job_options import CLIENT_OPTIONS, INVOKE_OPTIONS, SYNC_OPTIONS, option_name
from .transfer_options import SHELL_WORDS

_OPTIONS = {
    name: option_name(name)
    for name in (
        *INVOKE_OPTIONS,
        *SYNC_OPTIONS,
        *CLIENT_OPTIONS,
        *("input_location", "input_prefix", "timeout", "wait_until_ready"),
        *(
            "router",
            "routing_target",
            "part_size",
            "data",
            "notify",
            "success_topic",
            "error_topic",
        ),
    )
}
_WORDS = {
    **_OPTIONS,
    "allowed_locations": "--allowed-location",
    "endpoint_name": "ENDPOINT",
    "inference_router_name": "--router",
    "payload": "--input",
    **SHELL_WORDS,
}
_argument = re.compile(r'\b(\w+)(=(?![\w"]))?( to the client)?')


def in_shell_words(message: str, argument: str = "") -> str:
    """Replace the names of Python arguments in an error message with command-line options.

    Args:
        message: The error message.
        argument: The name of the invalid argument, or an empty string.

    >>> in_shell_words("no region: pass region= to the client, or set AWS_REGION")
    'no region: pass --region, or set AWS_REGION'
    >>> in_shell_words("filename must be shorter", "filename")
    '--filename must be shorter'
    """

    def word(match: re.Match[str]) -> str:
        name, is_keyword, _ = match.groups()
        if name in _WORDS and (is_keyword or name == argument or (argument and "_" in name)):
            return _WORDS[name] + ("" if is_keyword else match[3] or "")
        return match[0]

    return _argument.sub(word, message.replace(", or pass credentials= to the client", ""))
