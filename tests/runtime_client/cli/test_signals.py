"""Tests of signals that end a command in this process. test_exit_codes.py tests signals in a
separate process.
"""

import signal

import pytest

from sagemaker_runtime_client._cli.signals import EndingSignal, raise_ending_signals, terminate_by


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts(number):
    """SIGTERM and SIGHUP raise EndingSignal.

    If the signal is blocked and so cannot end the process, `terminate_by` returns 128 plus the
    signal's number.
    """
    with pytest.raises(EndingSignal) as caught, raise_ending_signals():
        signal.raise_signal(number)
    assert signal.getsignal(number) is signal.SIG_DFL
    signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        assert terminate_by(caught.value) == 128 + number
        assert signal.sigtimedwait({number}, 10) is not None
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
