"""Tests of retry decisions, pauses and the retry quota, compared with botocore's standard mode."""

from itertools import product
from types import SimpleNamespace

import pytest
from botocore.retries import standard
from botocore.retries.quota import RetryQuota as TheirQuota
from botocore.session import Session
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_runtime_client import Response, TransportError
from sagemaker_runtime_client._aws.error_response import (
    THROTTLING_CODES,
    TRANSIENT_CODES,
    TRANSIENT_STATUSES,
    json_error,
)
from sagemaker_runtime_client._aws.retry import (
    LONGEST_BACKOFF,
    LONGEST_EXTENSION,
    Reason,
    RetryPolicy,
    RetryQuota,
    backoff,
)

OPERATION = Session().get_service_model("sagemaker-runtime").operation_model("InvokeEndpointAsync")
THROTTLING = standard.ThrottlingErrorDetector(standard.RetryEventAdapter())
CONDITIONS = standard.StandardRetryConditions(max_attempts=3)


def context(status, code, attempt=1, headers=None):
    """Return botocore's retry context for a response with the given status and error code."""
    return standard.RetryContext(
        attempt_number=attempt,
        operation_model=OPERATION,
        parsed_response={"Error": {"Code": code}},
        http_response=SimpleNamespace(status_code=status, headers=headers or {}),
    )


def error(status, code, headers=None):
    """Return this client's error for a response with the given status and error code."""
    return json_error(Response(status, {"x-amzn-errortype": code, **(headers or {})}, b""))


# Codes of STS and of S3 that botocore does not retry for every service.
OWN_CODES = {"ConditionalRequestConflict", "IDPCommunicationError"}


def test_tables():
    """The codes and statuses of retryable errors are the same as in botocore, except that this
    client also retries the codes in `OWN_CODES` and the status 408.
    """
    transient = standard.TransientRetryableChecker
    throttled = set(standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES)
    assert throttled == THROTTLING_CODES
    known = set(transient._TRANSIENT_ERROR_CODES) | OWN_CODES
    assert known - throttled == TRANSIENT_CODES
    assert {*transient._TRANSIENT_STATUS_CODES, 408} == TRANSIENT_STATUSES


def test_numbers():
    """The bases and limits of the pauses, the costs of retries, the quota's capacity and the
    default number of attempts are the same as in botocore.
    """
    reference = standard.ExponentialBackoff
    bases = reference._DEFAULT_BACKOFF_CONFIG
    quota = standard.RetryQuotaChecker
    assert bases["throttling_base_scale"] == Reason.THROTTLING.base
    assert bases["non_throttling_base_scale"] == Reason.TRANSIENT.base
    assert reference._MAX_BACKOFF == LONGEST_BACKOFF
    assert reference._RETRY_AFTER_MAX_ADDITIONAL == LONGEST_EXTENSION
    assert Reason.TRANSIENT.cost == quota._RETRY_COST
    assert Reason.THROTTLING.cost == quota._THROTTLING_RETRY_COST
    assert TheirQuota.INITIAL_CAPACITY == RetryQuota.CAPACITY
    assert RetryPolicy().max_attempts == standard.DEFAULT_MAX_ATTEMPTS


CODES = [
    *sorted(THROTTLING_CODES | TRANSIENT_CODES - OWN_CODES),
    "ValidationError",
    "InternalFailure",
    "ServiceUnavailable",
    "ModelNotReadyException",
    "InternalDependencyException",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "Unheard",
]
STATUSES = [301, 400, 403, 404, 424, 429, 500, 501, 502, 503, 504, 530]
# For a 429 response, botocore looks up the code in the service model. This client uses its own
# error classes instead: it does not retry a credentials error, and it retries a service failure
# with status 429 as throttling.
BY_DESIGN = {
    (429, "ExpiredTokenException"): None,
    (429, "InternalFailure"): Reason.THROTTLING,
    (429, "InvalidSignatureException"): None,
    (429, "ServiceUnavailable"): Reason.THROTTLING,
}


def _theirs(status, code):
    """Return botocore's retry decision for a status and an error code as a `Reason`, or None if
    botocore does not retry.
    """
    answer = context(status, code)
    if not CONDITIONS.is_retryable(answer):
        return None
    throttled = THROTTLING.is_throttling_error_from_context(answer)
    return Reason.THROTTLING if throttled else Reason.TRANSIENT


@pytest.mark.parametrize(("status", "code"), list(product(STATUSES, CODES)))
def test_decisions_equal_botocores(status, code):
    """The retry decision for each status and code is the same as in botocore, except for the pairs
    in `BY_DESIGN`.
    """
    expected = BY_DESIGN.get((status, code), _theirs(status, code))
    assert RetryPolicy().reason(error(status, code), idempotent=False) is expected


@pytest.mark.parametrize(("status", "code"), list(product(STATUSES, CODES)))
def test_retryable_agrees_with_the_policy(status, code):
    """An error's `retryable` attribute is true if and only if the default retry policy retries the
    error.
    """
    failure = error(status, code)
    reason = RetryPolicy().reason(failure, idempotent=False)
    assert failure.retryable is (reason is not None)


@pytest.mark.parametrize(("status", "code"), BY_DESIGN)
def test_differences_are_real(status, code):
    """For each entry of `BY_DESIGN`, botocore's decision differs from the entry."""
    assert BY_DESIGN[status, code] is not _theirs(status, code)


@pytest.mark.parametrize(
    ("ambiguous", "lasting", "idempotent", "retry_ambiguous", "expected"),
    [
        (False, False, False, True, Reason.TRANSIENT),
        (True, False, False, True, Reason.TRANSIENT),
        (True, False, False, False, None),
        (True, False, True, False, Reason.TRANSIENT),
        (False, False, False, False, Reason.TRANSIENT),
        (False, True, True, True, None),
    ],
)
def test_transport_errors(ambiguous, lasting, idempotent, retry_ambiguous, expected):
    """A transport error is retried unless it is permanent.

    It is also not retried if the service may have accepted the request, the request is not
    idempotent, and retry_ambiguous is false.
    """
    failure = TransportError("x")
    failure.possibly_accepted, failure.retryable = ambiguous, not lasting
    policy = RetryPolicy(retry_ambiguous=retry_ambiguous)
    assert policy.reason(failure, idempotent=idempotent) is expected


@pytest.mark.parametrize("status", [500, 502, 504])
def test_ambiguous_statuses(status):
    """With retry_ambiguous=False, the statuses 500, 502 and 504 are retried only if the request is
    idempotent, but 503 is retried even if the request is not.
    """
    cautious = RetryPolicy(retry_ambiguous=False)
    assert cautious.reason(error(status, "Unheard"), idempotent=False) is None
    assert cautious.reason(error(503, "Unheard"), idempotent=False) is Reason.TRANSIENT
    assert cautious.reason(error(status, "Unheard"), idempotent=True) is Reason.TRANSIENT


@settings(deadline=None)  # the test must not fail on a busy machine
@given(
    st.sampled_from([(500, "InternalFailure"), (400, "ThrottlingException"), (429, "Unheard")]),
    st.integers(1, 12),
    st.floats(0, 1, exclude_max=True),
    st.none() | st.integers(0, 100_000).map(str) | st.sampled_from(["-1", "invalid", "1.5"]),
)
def test_backoff_equals_botocores(answer, attempt, random, retry_after):
    """For the same attempt, random number and `x-amz-retry-after` header, the pause is the same as
    in botocore.
    """
    headers = {} if retry_after is None else {"x-amz-retry-after": retry_after}
    reference = standard.ExponentialBackoff(random=lambda: random, throttling_detector=THROTTLING)
    expected = reference.delay_amount(context(*answer, attempt, headers))
    failure = error(*answer, headers)
    reason = RetryPolicy().reason(failure, idempotent=True)
    assert backoff(reason, attempt - 1, failure, lambda: random) == expected


def test_backoff_without_a_response():
    """After a dropped connection, the pause depends only on the number of previous retries and on
    the random number, and is at most 20 s.
    """
    assert backoff(Reason.TRANSIENT, 2, TransportError(), lambda: 0.5) == 0.1
    assert backoff(Reason.TRANSIENT, 9, TransportError(), lambda: 1.0) == 20.0


def test_quota():
    """A retry is allowed only if the quota still contains as many tokens as the retry costs.

    A success returns the tokens of the call's last retry, or one token if the call made no retry.
    """
    quota = RetryQuota()
    assert [quota.acquire(Reason.TRANSIENT) for _ in range(35)] == [True] * 35
    assert quota.available == 10
    assert not quota.acquire(Reason.TRANSIENT)
    assert quota.acquire(Reason.THROTTLING)
    assert quota.acquire(Reason.THROTTLING)
    assert not quota.acquire(Reason.THROTTLING)
    assert quota.available == 0
    for last, left in [(None, 1), (Reason.THROTTLING, 6), (Reason.TRANSIENT, 20)]:
        quota.release(last)
        assert quota.available == left


def test_quota_has_a_capacity():
    """Successes do not raise the quota above its capacity."""
    quota = RetryQuota()
    quota.release(None)
    quota.release(Reason.TRANSIENT)
    assert quota.available == RetryQuota.CAPACITY
