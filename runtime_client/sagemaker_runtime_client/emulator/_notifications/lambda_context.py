"""The context, which AWS Lambda passes to a function as the second argument.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

import time

from .._settings import ACCOUNT

_FUNCTION = "sagemaker-emulator"
_VERSION = "$LATEST"


class LambdaContext:
    """Describes a call of the function.

    Attributes:
        function_name: The name of the function.
        function_version: The version of the function.
        invoked_function_arn: The ARN of the function.
        memory_limit_in_mb: The memory that the function may use, which the emulator does not limit.
        aws_request_id: The ID of the call, which is the same when a call for SNS or S3 is repeated.
        log_group_name: The log group.
        log_stream_name: The log stream.
        identity: None, as for all calls by AWS services.
        client_context: None, as for all calls by AWS services.
    """

    def __init__(self, region: str, timeout: float, request_id: str) -> None:
        self._deadline = time.monotonic() + timeout
        self.function_name = _FUNCTION
        self.function_version = _VERSION
        self.invoked_function_arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:{_FUNCTION}"
        self.memory_limit_in_mb = "128"
        self.aws_request_id = request_id
        self.log_group_name = f"/aws/lambda/{_FUNCTION}"
        self.log_stream_name = f"[{_VERSION}]{self.aws_request_id}"
        self.identity = None
        self.client_context = None

    def get_remaining_time_in_millis(self) -> int:
        """Return the number of milliseconds until the call times out."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))
