"""What a client speaks to, once its settings are known."""

from functools import cached_property, partial
from importlib import import_module
from math import inf
from typing import TYPE_CHECKING

from sigv4 import CredentialsProvider

from .._aws.auth import SigV4Auth
from .._aws.call import ServiceClient
from .._aws.endpoint import Endpoint, sagemaker_runtime_endpoint
from .._aws.retry import ServiceClock
from .._aws.user_agent import is_in_lambda, trace_headers, user_agent
from .._io.generation import importing
from ..credentials import Context

if TYPE_CHECKING:  # imported when S3 is needed, which is not by the first call
    from .._s3.client import S3


class Services:
    """
    SageMaker Runtime and S3, as a client's settings lead to them; each is made when it is first used.

    Args:
        context: The settings, and the outside world.
        provider: Whose signatures.
    """

    def __init__(self, context: Context, provider: CredentialsProvider) -> None:
        self._context = context
        self._auth = SigV4Auth(provider)
        self._clock = ServiceClock()

    def deadline(self, start: float, timeout: float | None) -> float | None:
        """Return when a call that began at *start* must have ended; None for no limit."""
        seconds = self._context.config.timeout if timeout is None else timeout
        return None if seconds == inf else start + seconds

    @cached_property
    def endpoint(self) -> Endpoint:
        """Where SageMaker Runtime is."""
        config = self._context.config
        return sagemaker_runtime_endpoint(config.endpoint_options(config.endpoint_url))

    @cached_property
    def runtime(self) -> ServiceClient:
        """What makes the calls to SageMaker Runtime."""
        return self._service_client()

    def _service_client(self) -> ServiceClient:
        """Return what makes the calls to one service: each has a quota and a pace of its own."""
        config, io = self._context.config, self._context.io
        agent = ("user-agent", user_agent(config.retry_mode, config.app_id, io.environ))
        return ServiceClient(
            io,
            self._auth,
            config.retry_policy,
            headers=[agent],
            trace_headers=partial(trace_headers, io.environ) if is_in_lambda(io.environ) else None,
            attempt_timeout=config.read_timeout,
            clock=self._clock,
        )

    @cached_property
    def s3(self) -> "S3":
        """Objects of S3."""
        with importing():
            import_module("email.utils")  # all that S3 answers has dates
            from .._s3.client import S3

        config = self._context.config
        options = config.endpoint_options(config.s3_endpoint_url)
        return S3(
            self._service_client(),
            options,
            config.s3_addressing_style,
            upload_checksum=config.request_checksum_calculation == "when_supported",
            download_checksum=config.response_checksum_validation == "when_supported",
        )
