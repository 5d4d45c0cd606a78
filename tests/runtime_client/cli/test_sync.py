"""Tests of the command `invoke` with `--sync` and with `--router`."""

import json

import pytest

from sagemaker_runtime_client.emulator import Faults

SYNC = ("invoke", "my-endpoint", "--sync", "--input", "-")
ROUTER = ("--router", "r", "--routing-target", "t")


def test_output(command, emulator):
    """`invoke --sync` writes the model's output to stdout, and nothing to stderr."""
    assert command(*SYNC, stdin=b"hello \xff") == (0, b"HELLO \xff", "")
    assert [request.operation for request in emulator.requests] == ["InvokeEndpoint"]
    assert emulator.jobs == ()


def test_file(command, emulator, tmp_path):  # noqa: ARG001 (the variables point to it)
    """`invoke --sync` can read the payload from a file, and write the output to a file."""
    payload, output = tmp_path / "in", tmp_path / "out"
    payload.write_bytes(b"hello")
    arguments = ("--input", str(payload), "--output", str(output))
    assert command("invoke", "my-endpoint", "--sync", *arguments) == (0, b"", "")
    assert output.read_bytes() == b"HELLO"


def test_each_option(command, emulator):
    """The service receives the value of each request option of `invoke --sync`."""
    options = {
        "--content-type": "text/csv",
        "--accept": "text/plain",
        "--custom-attributes": "a=b",
        "--inference-id": "mine",
        "--target-model": "model.tar.gz",
        "--target-variant": "blue",
        "--target-container-hostname": "host",
        "--enable-explanations": "`true`",
        "--inference-component-name": "component",
        "--session-id": "NEW_SESSION",
        "--prefix-aware-id": "prefix",
    }
    pairs = [text for pair in options.items() for text in pair]
    code, out, _ = command(*SYNC, *pairs, "--json", stdin=b"hello")
    document = json.loads(out)
    assert code == 0
    assert document.pop("new_session_id")
    assert document.pop("session_expires").endswith("+00:00")
    assert document.pop("request_id")
    assert document == {
        "content_type": "text/csv",
        "production_variant": "blue",
        "closed_session_id": None,
        "routed_resource_arn": None,
        "routing_reason": None,
        "body": "HELLO",
    }
    headers = dict(emulator.requests[0].headers)
    assert {*options.values()} - {*headers.values()} == {
        "a=b"
    }  # the emulator's record hides this value


def test_binary_output_as_json(command, emulator):  # noqa: ARG001 (the variables point to it)
    """With --json, an output that is not UTF-8 is printed in base64.

    Without a session, the session's expiration is null.
    """
    document = json.loads(command(*SYNC, "--json", stdin=b"\xff")[1])
    assert (document["body_base64"], document["session_expires"]) == ("/w==", None)


def test_model_error(command, emulator):  # noqa: ARG001 (the variables point to it)
    """If the model fails, `invoke --sync` returns exit code 5, as for a failed job."""
    code, out, err = command(*SYNC, "--json", stdin=b"fail")
    assert code == 5
    assert "out of memory" in err
    document = json.loads(out)["error"]
    assert (document["type"], document["original_status_code"]) == ("ModelError", 500)
    assert document["original_message"] == '{"message": "out of memory"}'
    assert document["log_stream_arn"].startswith("arn:aws:logs:")


def test_other_errors(command, emulator):
    """For other errors, `invoke --sync` returns the same exit codes as for a job."""
    emulator.faults.always(Faults.ACCESS_DENIED)
    assert command(*SYNC, stdin=b"x")[0] == 4
    assert command("invoke", "my_endpoint", "--sync", "--input", "-", stdin=b"x")[0] == 2
    code, _, err = command(*SYNC, "--timeout", "0", stdin=b"x")
    assert code == 2
    assert "--timeout must be more than 0 seconds" in err


def test_wait_until_ready(command, emulator, monkeypatch):
    """`--wait-until-ready` repeats the request while the model is not ready.

    `--retry-model` repeats it even if the model may have run.
    """
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    emulator.faults.once(Faults.MODEL_NOT_READY)
    assert command(*SYNC, stdin=b"x")[0] == 4
    emulator.faults.once(Faults.MODEL_NOT_READY)
    assert command(*SYNC, "--wait-until-ready", "30", stdin=b"x")[:2] == (0, b"X")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    emulator.faults.once(Faults.RESET_AFTER_TAKEN)
    assert command(*SYNC, stdin=b"x")[0] == 7
    emulator.faults.once(Faults.RESET_AFTER_TAKEN)
    assert command(*SYNC, "--retry-model", stdin=b"x")[:2] == (0, b"X")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*SYNC, "--request-ttl-seconds", "0"), "cannot be combined with --sync"),
        (("invoke", "e", "--input", "-", "--wait-until-ready", "0"), "requires --sync"),
    ],
    ids=["job", "sync"],
)
def test_zero(command, emulator, arguments, message):
    """An option of the other kind of call is rejected even if its value is 0."""
    code, _, err = command(*arguments, stdin=b"x")
    assert code == 2
    assert message in err
    assert emulator.requests == ()


def test_router(command, emulator):
    """With `--sync` and `--router`, the request is sent to the router instead of an endpoint."""
    arguments = ("invoke", "--sync", "--input", "-", *ROUTER, "--prefix-aware-id", "p")
    assert command(*arguments, stdin=b"x") == (0, b"X", "")
    (request,) = emulator.requests
    assert request.operation == "InvokeInferenceRouter"
    assert request.header("x-amzn-sagemaker-routing-target-name") == "t"


def test_job_of_a_router(command, emulator):
    """With `--router`, `invoke` uploads the payload, queues the job through the router, and prints
    the output.
    """
    code, out, err = command(
        "invoke", "--input", "-", "--input-prefix", "s3://inputs/", *ROUTER, stdin=b"x"
    )
    assert (code, out) == (0, b"X")
    assert '"inference_router_name": "r"' in err
    assert emulator.requests[1].operation == "InvokeInferenceRouterAsync"


def test_location_for_a_router(command, emulator):
    """With `--router`, the payload may already be in S3, and `wait` accepts the handle that
    `--no-wait` prints.
    """
    emulator.objects.put("s3://inputs/in", b"x")
    arguments = ("--input-location", "s3://inputs/in", "--no-wait")
    code, handle, _ = command("invoke", *ROUTER, *arguments)
    assert code == 0
    assert command("wait", "-", stdin=handle)[:2] == (0, b"X")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--router", "r_", "--routing-target", "t"), "--router must contain only letters"),
        (("--router", "r", "--routing-target", "t_"), "--routing-target must contain only letters"),
        (ROUTER, "--input-prefix is required"),
    ],
)
def test_invalid_router(command, emulator, arguments, message):
    """If the options for a router are invalid or incomplete, the exit code is 2, and the error
    mentions the option.
    """
    prefix = () if arguments == ROUTER else ("--input-prefix", "s3://inputs/")
    code, _, err = command("invoke", "--input", "-", *arguments, *prefix, stdin=b"x")
    assert code == 2
    assert message in err
    assert emulator.requests == ()
