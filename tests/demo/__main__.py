"""The main use case with real input: `make demo`.

The demo starts the emulator with a model that recognizes handwritten digits.  It sends one image
inline, 900 images through S3, invalid input, and 200 images concurrently.  Then one Lambda function
submits 20 images and invalid input, another one handles the notifications about the results, and
all messages and notifications are delivered twice.  Every prediction is compared with that of
scikit-learn's model for the same image (fixtures/digits/expected.json).
"""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from math import isclose
from typing import Any

import told
from digits import DIGITS, predict

from sagemaker_runtime_client import InferenceFailedError, SageMakerRuntimeClient
from sagemaker_runtime_client.emulator import Emulator

ENDPOINT = "handwritten-digits"
BULK = 200
CONCURRENCY = 16
TOLD = 20


@contextmanager
def timed(what: str) -> Iterator[list[str]]:
    """When the context ends, print *what*, its duration, and the remarks that the caller added."""
    remarks: list[str] = []
    start = time.perf_counter()
    yield remarks
    elapsed = (time.perf_counter() - start) * 1000
    print(f"{what:<28}{elapsed:8.0f} ms   {'; '.join(remarks)}")


def agree(answer: Any, expected: dict[str, list[Any]], first: int, count: int) -> str:
    """Check that the predictions agree with scikit-learn's.

    Return a phrase with the number of digits that are recognized correctly.
    """
    part = slice(first, first + count)
    assert answer["predictions"] == expected["predictions"][part]
    for ours, theirs in zip(
        answer["log_probabilities"], expected["log_probabilities"][part], strict=True
    ):
        assert isclose(ours, theirs, rel_tol=1e-6, abs_tol=1e-6), (ours, theirs)
    right = sum(
        digit == label
        for digit, label in zip(answer["predictions"], expected["labels"][part], strict=True)
    )
    return f"{right} of {count} digits right, as with scikit-learn"


def main() -> None:
    """Run the five parts of the demo."""
    images = (DIGITS / "images.csv").read_bytes()
    lines = images.splitlines()
    expected = json.loads((DIGITS / "expected.json").read_text())
    started = time.perf_counter()
    with (
        Emulator(model=predict, endpoints=[ENDPOINT], concurrency=CONCURRENCY) as emulator,
        SageMakerRuntimeClient(
            region=emulator.region,
            credentials=emulator.credentials,
            endpoint_url=emulator.url,
            s3_endpoint_url=emulator.url,
        ) as client,
    ):
        print(f"emulator at {emulator.url} checks every signature")

        with timed("1 image, inline") as remarks:
            output = client.infer(ENDPOINT, lines[0], content_type="text/csv", timeout=30)
            remarks += [f"{len(lines[0])} bytes", agree(output.json(), expected, 0, 1)]

        with timed(f"{len(lines)} images, through S3") as remarks:
            output = client.infer(
                ENDPOINT, images, content_type="text/csv", timeout=60, input_prefix="s3://inputs/"
            )
            remarks += [f"{len(images):,} bytes", agree(output.json(), expected, 0, len(lines))]

        with timed("invalid input") as remarks:
            try:
                client.infer(ENDPOINT, b"1,2,three", content_type="text/csv", timeout=30)
            except InferenceFailedError as error:
                remarks.append(f"failed as expected: {error.reason.splitlines()[-1]}")
            else:
                raise AssertionError("invalid input was accepted")

        def one(number: int) -> str:
            output = client.infer(ENDPOINT, lines[number], content_type="text/csv", timeout=60)
            return agree(output.json(), expected, number, 1)

        with (
            timed(f"{BULK} images, {CONCURRENCY} at a time") as remarks,
            ThreadPoolExecutor(CONCURRENCY) as threads,
        ):
            right = sum(answer.startswith("1 of 1") for answer in threads.map(one, range(BULK)))
            remarks.append(f"{right} of {BULK} digits right, as with scikit-learn")

        with timed(f"{TOLD} images, told by SQS") as remarks:
            bodies = [line.decode() for line in lines[:TOLD]]
            answers, reasons, redelivered = told.run([*bodies, "1,2,three"])
            assert len(answers) == TOLD
            one_each = [agree(answer, expected, n, 1) for n, answer in enumerate(answers)]
            right = sum(text.startswith("1 of 1") for text in one_each)
            remarks += [
                f"{right} of {TOLD} digits right, as with scikit-learn",
                f"{len(reasons)} failure told",
                f"{redelivered} redeliveries ignored",
            ]

        refused = [request for request in emulator.requests if request.status == 403]
        assert not refused, refused
        print(
            f"{len(emulator.requests)} signed requests, none refused, "
            f"{time.perf_counter() - started:.1f} s in total"
        )


if __name__ == "__main__":
    main()
