"""The arguments of the call that every client makes.

Eleven headers are signed: Host, the date, the session token, and one for each of the eight
arguments below.
"""

PATH = "/endpoints/my-endpoint/async-invocations"
_TABLE = (
    ("accept", "Accept", "Accept", "application/json"),
    ("content_type", "ContentType", "Content-Type", "application/json"),
    ("custom_attributes", "CustomAttributes", "Custom-Attributes", "trace=1"),
    ("filename", "Filename", "Filename", "answer.json"),
    ("inference_id", "InferenceId", "Inference-Id", "0f6d8cc7-4c8b-4d1f-9c2a-0f6d8cc74c8b"),
    ("input_location", "InputLocation", "InputLocation", "s3://my-bucket/inputs/payload.json"),
    (
        "invocation_timeout_seconds",
        "InvocationTimeoutSeconds",
        "InvocationTimeoutSeconds",
        900,
    ),
    ("request_ttl_seconds", "RequestTTLSeconds", "RequestTTLSeconds", 3600),
)
SNAKE = {"endpoint_name": "my-endpoint"} | {row[0]: row[3] for row in _TABLE}
CAMEL = {"EndpointName": "my-endpoint"} | {row[1]: row[3] for row in _TABLE}
HEADERS = {f"X-Amzn-SageMaker-{row[2]}": str(row[3]) for row in _TABLE}
