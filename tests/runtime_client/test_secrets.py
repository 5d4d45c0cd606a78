"""Test that no client reveals a secret."""

import logging
import pickle
import traceback

import pytest

from sagemaker_runtime_client import RuntimeClientError
from sagemaker_runtime_client.emulator import Emulator, Faults, ModelFailure
from sigv4 import Credentials
from tests.runtime_client.clients import often, settings


class TestSecrets:
    """No secret appears in a log (even at the debug level), an error, a repr or a pickle."""

    TOKEN = "CANARY-TOKEN-b3f1"
    SECRET = "CANARY-SECRET-77aa"
    ATTRIBUTES = "CANARY-ATTRIBUTES-09cd"

    def test_anywhere(self, driver, caplog):
        """Neither a successful job nor a failed one reveals the secret key, the token or the custom
        attributes.
        """
        caplog.set_level(logging.DEBUG)
        credentials = Credentials("AKIDEXAMPLE", self.SECRET, self.TOKEN)
        attributes = {"custom_attributes": self.ATTRIBUTES}

        def model(request):
            if request.body == b"fail":
                raise ModelFailure("failed")
            return request.body

        with Emulator(model=model, credentials=credentials) as emulator:
            client = driver.client(**settings(emulator, max_attempts=1))
            output = client.infer("x", b"x", timeout=10, schedule=often, **attributes)
            stored = client.put_object("s3://bucket/key", b"x")
            failures = [
                self.failure(emulator, client, fault, attributes)
                for fault in (Faults.THROTTLED, Faults.RESET_BEFORE_READ, Faults.RESET_IN_HEAD)
            ]
            failures += [self.failure(emulator, client, None, attributes, b"fail")]
            wrong = Credentials("AKIDEXAMPLE", self.SECRET + "-wrong", self.TOKEN)
            client = driver.client(**settings(emulator, credentials=wrong))
            failures += [self.failure(emulator, client, None, attributes)]
        shown = [caplog.text, repr(output), output.invocation.to_json(), repr(stored)]
        shown += [repr(client.itself), repr(credentials), repr(client.itself._core)]
        for error in failures:
            shown += [str(error), repr(error), repr(vars(error)), str(pickle.dumps(error))]
            shown += ["".join(traceback.format_exception(error))]
        assert "x/async-invocations (inference id " in caplog.text
        assert "".join(text for text in shown if "CANARY" in text) == ""

    @staticmethod
    def failure(emulator, client, fault, attributes, payload=b"x"):
        """Return the error that `infer` raises because of an emulator fault or an invalid payload."""
        if fault is not None:
            emulator.faults.once(fault)
        with pytest.raises(RuntimeClientError) as caught:
            client.infer("x", payload, timeout=10, schedule=often, **attributes)
        return caught.value
