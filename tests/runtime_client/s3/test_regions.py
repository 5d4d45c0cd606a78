"""Tests of buckets in other regions: how the client finds and remembers the region of a bucket."""

import pytest

from sagemaker_runtime_client import (
    Invocation,
    Response,
    ServiceError,
)
from tests.runtime_client.scripted_io import (
    REGION,
    ScriptedIO,
    core,
    run,
    s3_error,
)

FOUND = Response(200, {"content-length": "4"}, b"body")

ELSEWHERE = "eu-north-1"
NAMED = "<Error><Code>{}</Code><Region>eu-north-1</Region></Error>"
POINTERS = [
    pytest.param(Response(301, {"x-amz-bucket-region": ELSEWHERE}), id="301 with a header"),
    pytest.param(Response(307, {"x-amz-bucket-region": ELSEWHERE}), id="307"),
    pytest.param(Response(302, {"x-amz-bucket-region": ELSEWHERE}), id="302"),
    pytest.param(Response(301, (), NAMED.format("PermanentRedirect").encode()), id="301, in XML"),
    pytest.param(
        Response(400, (), NAMED.format("AuthorizationHeaderMalformed").encode()), id="400, in XML"
    ),
    pytest.param(
        Response(400, (), NAMED.format("IllegalLocationConstraintException").encode()),
        id="location constraint",
    ),
    pytest.param(Response(400, {"x-amz-bucket-region": ELSEWHERE}), id="bare 400 of a HEAD"),
]


@pytest.mark.parametrize("pointer", POINTERS)
def test_wrong_region(pointer):
    """If an error response specifies the bucket's region, the request is repeated in that region,
    which is also used for later requests for the bucket.
    """
    io = ScriptedIO([pointer, FOUND, FOUND])
    client = core(io)
    assert run(client.get_object("s3://bucket/key")).body == b"body"
    assert run(client.get_object("s3://bucket/other")).body == b"body"
    assert io.slept == []
    hosts = [f"https://bucket.s3.{region}.amazonaws.com" for region in (REGION, ELSEWHERE)]
    assert [sent.origin for sent in io.sent] == [*hosts, hosts[1]]
    io.sent[0].verify("s3")
    for sent in io.sent[1:]:
        sent.verify("s3", region=ELSEWHERE)


def test_region_of_another_bucket():
    """The region that the client found for one bucket is not used for another bucket."""
    io = ScriptedIO([Response(301, {"x-amz-bucket-region": ELSEWHERE}), FOUND, FOUND])
    client = core(io)
    run(client.get_object("s3://bucket/key"))
    run(client.get_object("s3://bucket2/key"))
    io.sent[-1].verify("s3")


def test_wrong_region_of_a_custom_endpoint():
    """If a bucket behind a custom endpoint is in another region, only the signing region of the
    repeated request changes, and the URL stays the same.
    """
    io = ScriptedIO([Response(301, {"x-amz-bucket-region": ELSEWHERE}), FOUND])
    run(core(io, s3_endpoint_url="http://localhost:9000").get_object("s3://bucket/key"))
    assert [sent.url for sent in io.sent] == ["http://localhost:9000/bucket/key"] * 2
    io.sent[1].verify("s3", region=ELSEWHERE)


def test_wrong_region_twice():
    """If a repeated request is redirected to yet another region, the call raises an error."""
    away = [Response(301, {"x-amz-bucket-region": region}) for region in (ELSEWHERE, "us-east-1")]
    io = ScriptedIO(away)
    with pytest.raises(ServiceError) as caught:
        run(core(io).get_object("s3://bucket/key"))
    assert caught.value.status_code == 301


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Response(301, {"x-amz-bucket-region": REGION}), id="the same region"),
        pytest.param(Response(301, {"x-amz-bucket-region": "evil.example/"}), id="no label"),
        pytest.param(Response(301, {"x-amz-bucket-region": "a" * 64}), id="too long"),
        pytest.param(Response(301, {"x-amz-bucket-region": "-a-"}), id="no label either"),
        pytest.param(s3_error(400, "AuthorizationHeaderMalformed"), id="no region"),
        pytest.param(Response(400, ()), id="bare 400"),
        pytest.param(Response(403, {"x-amz-bucket-region": ELSEWHERE}), id="403"),
        pytest.param(
            s3_error(400, "InvalidArgument", headers=[("x-amz-bucket-region", ELSEWHERE)]),
            id="another 400",
        ),
        pytest.param(
            s3_error(404, "NoSuchKey", headers=[("x-amz-bucket-region", ELSEWHERE)]), id="404"
        ),
    ],
)
def test_errors_that_are_not_redirects(answer):
    """If an error response is not a redirect to another region, the call raises an error, and the
    request is not repeated.
    """
    io = ScriptedIO([answer])
    with pytest.raises(ServiceError) as caught:
        run(core(io).get_object("s3://bucket/key"))
    assert caught.value.status_code == answer.status


NAMELESS = [
    pytest.param("get_object", s3_error(301, "PermanentRedirect"), id="301"),
    pytest.param("get_object", Response(307, ()), id="307"),
    pytest.param("get_object", Response(301, {"location": "https://evil.example/"}), id="location"),
    pytest.param(
        "get_object", s3_error(400, "IllegalLocationConstraintException"), id="constraint"
    ),
    pytest.param("head_object", Response(301, ()), id="bare 301 to a HEAD"),
    pytest.param("head_object", Response(400, ()), id="bare 400 to a HEAD"),
]


@pytest.mark.parametrize("answer", [200, 301, 400, 403])
@pytest.mark.parametrize(("method", "redirect"), NAMELESS)
@pytest.mark.parametrize(("style", "path"), [("virtual", "/"), ("path", "/bucket")])
def test_redirect_without_a_region(method, redirect, answer, style, path):
    """After a redirect that specifies no region, a HEAD request for the bucket finds the region, as
    in botocore.
    """
    told = Response(answer, {"x-amz-bucket-region": ELSEWHERE})
    io = ScriptedIO([redirect, told, FOUND, FOUND])
    client = core(io, s3_addressing_style=style)
    assert run(getattr(client, method)("s3://bucket/key")).size == 4
    assert (io.sent[1].request.method, io.sent[1].request.path) == ("HEAD", path)
    assert io.sent[0].origin == io.sent[1].origin != io.sent[2].origin
    io.sent[1].verify("s3")
    io.sent[2].verify("s3", region=ELSEWHERE)
    run(client.get_object("s3://bucket/other"))
    io.sent[3].verify("s3", region=ELSEWHERE)


@pytest.mark.parametrize("region", [None, REGION, "evil.example/"], ids=str)
def test_redirect_to_an_unknown_region(region):
    """If the response to the HEAD request for the bucket does not specify another valid region
    either, the call raises the error of the original redirect.
    """
    told = Response(200, {} if region is None else {"x-amz-bucket-region": region})
    io = ScriptedIO([s3_error(301, "PermanentRedirect"), told])
    with pytest.raises(ServiceError) as caught:
        run(core(io).get_object("s3://bucket/key"))
    assert caught.value.code == "PermanentRedirect"


def test_waiting_for_a_redirect_without_a_region():
    """During a wait, the HEAD request that finds the bucket's region has the same deadline as the
    poll.
    """
    io = ScriptedIO([s3_error(301, "PermanentRedirect"), Response(404, ()), FOUND])
    with pytest.raises(ServiceError):
        run(core(io).wait(Invocation("id", "s3://bucket/key"), timeout=5))
    assert len({sent.request.method for sent in io.sent}) == 2
    assert [sent.deadline for sent in io.sent] == [1005.0, 1005.0]
