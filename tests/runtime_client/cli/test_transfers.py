"""Tests of the commands `upload`, `download`, `ls` and `presign`."""

import json
import signal
import subprocess
import sys
from threading import Event
from urllib.request import Request, urlopen

import pytest

from sagemaker_runtime_client.emulator import Faults
from sagemaker_runtime_client.emulator._fault_types import SlowBody
from tests.runtime_client.cli.programs import PROGRAM, SOURCES

MEBIBYTE = 1 << 20
LARGE = bytes(range(256)) * (9 * MEBIBYTE // 256)  # more than one part


@pytest.fixture
def file(tmp_path):
    """A file that is alone in its folder."""
    path = tmp_path / "data.csv"
    path.write_bytes(b"1,2")
    return path


class TestUpload:
    def test_file(self, command, emulator, file):
        """`upload` writes a file to S3, and prints the size on stderr, but nothing on stdout."""
        code, out, err = command("upload", str(file), "s3://b/k")
        assert (code, out) == (0, b"")
        assert err == f"uploaded {file} to s3://b/k: 3 bytes\n"
        assert emulator.objects.get("s3://b/k").body == b"1,2"

    def test_json(self, command, emulator, file):
        """With --json, `upload` prints the location, the size and the entity tag."""
        code, out, _ = command("upload", str(file), "s3://b/k", "--json")
        etag = emulator.objects.get("s3://b/k").etag
        assert (code, json.loads(out)) == (0, {"location": "s3://b/k", "size": 3, "etag": etag})

    @pytest.mark.parametrize("data", [b"", b"1,2", LARGE], ids=["empty", "small", "parts"])
    def test_stdin(self, command, emulator, data):
        """`upload -` writes stdin of any size to S3."""
        code, _, err = command("upload", "-", "s3://b/k", stdin=data)
        assert (code, err) == (0, f"uploaded stdin to s3://b/k: {len(data):,} bytes\n")
        assert emulator.objects.get("s3://b/k").body == data

    def test_pipe(self, emulator, bare_environment):
        """A pipe is uploaded in parts while it is read."""
        bare_environment.setenv("PYTHONPATH", SOURCES)
        arguments = [*PROGRAM.split(), "upload", "-", "s3://b/k", "--part-size", str(5 * MEBIBYTE)]
        subprocess.run(arguments, input=LARGE, check=True, capture_output=True)
        operations = [one.operation for one in emulator.requests]
        assert operations.count("UploadPart") == 2
        assert emulator.objects.get("s3://b/k").body == LARGE

    def test_each_option(self, command, emulator, file):
        """For each option of `upload`, S3 receives its value."""
        options = {
            "--content-type": "text/csv",
            "--metadata": "a=1=2",
            "--sse": "aws:kms",
            "--kms-key-id": "alias/k",
            "--storage-class": "STANDARD_IA",
            "--cache-control": "no-cache",
            "--content-encoding": "gzip",
        }
        words = [word for pair in options.items() for word in pair]
        assert command("upload", str(file), "s3://b/k", *words, "--metadata", "b=")[0] == 0
        stored = emulator.objects.get("s3://b/k")
        encryption = "x-amz-server-side-encryption"
        assert (stored.content_type, dict(stored.metadata)) == ("text/csv", {"a": "1=2", "b": ""})
        expected = {
            encryption: "aws:kms",
            f"{encryption}-aws-kms-key-id": "alias/k",
            "x-amz-storage-class": "STANDARD_IA",
            "cache-control": "no-cache",
            "content-encoding": "gzip",
        }
        assert {name: stored.headers.get(name) for name in expected} == expected

    def test_exists(self, command, emulator, file):
        """If the object exists, `upload --if-none-match` does not replace it and exits with code 4."""
        emulator.objects.put("s3://b/k", b"old")
        code, out, _ = command("upload", str(file), "s3://b/k", "--if-none-match", "--json")
        assert (code, json.loads(out)["error"]["type"]) == (4, "PreconditionFailedError")
        assert emulator.objects.get("s3://b/k").body == b"old"

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("/no/such/file", "s3://b/k"), "FILE cannot be opened: No such file or directory"),
            (("-", "k"), "LOCATION must be s3://bucket/key"),
            (("-", "s3://b/k", "--part-size", "1"), "--part-size must be"),
            (("-", "s3://b/k", "--kms-key-id", "k"), "--kms-key-id requires --sse="),
            (("-", "s3://b/k", "--metadata", "é=1"), "--metadata"),
        ],
    )
    def test_wrong(self, command, emulator, arguments, said):
        """An invalid argument of `upload` causes exit code 2 and a message that mentions it."""
        code, out, err = command("upload", *arguments)
        assert (code, out, emulator.requests) == (2, b"", ())
        assert err.startswith(f"sagemaker-runtime: {said}")

    def test_usage(self, command, capsysbinary):
        """A --metadata option without a value is rejected."""
        with pytest.raises(SystemExit) as caught:
            command("upload", "-", "s3://b/k", "--metadata", "name")
        assert caught.value.code == 2
        assert b"argument --metadata: must be like NAME=VALUE" in capsysbinary.readouterr().err

    def test_changed(self, command, emulator, tmp_path):
        """If the source cannot be read, `upload` exits with code 2."""
        code, _, err = command("upload", str(tmp_path), "s3://b/k")
        assert (code, emulator.objects.list("s3://b/")) == (2, [])
        assert err.startswith("sagemaker-runtime: ")

    def test_refused(self, command, emulator, tmp_path):
        """If S3 rejects a part, `upload` exits with code 4, and no unfinished upload remains in S3."""
        (tmp_path / "large").write_bytes(LARGE)
        emulator.faults.always(Faults.ACCESS_DENIED, on="UploadPart")
        code, _, err = command("upload", str(tmp_path / "large"), "s3://b/k")
        assert (code, emulator.objects.list_uploads()) == (4, [])
        assert "AccessDenied" in err


class TestDownload:
    @pytest.mark.parametrize("data", [b"", b"1,2", LARGE], ids=["empty", "small", "parts"])
    def test_file(self, command, emulator, file, data):
        """`download` replaces a file, and reports that an object without a checksum is not
        verified.
        """
        emulator.objects.put("s3://b/k", data)
        code, out, err = command("download", "s3://b/k", str(file))
        assert (code, out) == (0, b"")
        assert err == f"downloaded s3://b/k: {len(data):,} bytes, not verified\n"
        assert ([*file.parent.iterdir()], file.read_bytes()) == ([file], data)

    def test_json(self, command, emulator, file):
        """With --json, `download` prints the description of the object and the checksum algorithm."""
        command("upload", str(file), "s3://b/k", "--content-type", "text/csv", "--metadata", "a=1")
        code, out, err = command("download", "s3://b/k", str(file), "--json")
        stored = emulator.objects.get("s3://b/k")
        assert (code, json.loads(out)) == (
            0,
            {
                "location": "s3://b/k",
                "size": 3,
                "etag": stored.etag,
                "last_modified": f"{stored.last_modified:%Y-%m-%dT%H:%M:%SZ}",
                "content_type": "text/csv",
                "metadata": {"a": "1"},
                "verified": "CRC32",
            },
        )
        assert err == "downloaded s3://b/k: 3 bytes, verified by CRC32\n"

    @pytest.mark.usefixtures("emulator")
    @pytest.mark.parametrize("data", [b"", b"1,2", LARGE], ids=["empty", "small", "large"])
    def test_stdout(self, command, data):
        """`download LOCATION -` writes the object to stdout and verifies it."""
        command("upload", "-", "s3://b/k", stdin=data)
        code, out, err = command("download", "s3://b/k", "-")
        assert (code, out == data) == (0, True), err
        assert err == f"downloaded s3://b/k: {len(data):,} bytes, verified by CRC32\n"

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("-", "--json"), "--json requires a file, not stdout"),
            (("-", "--resume"), "--resume requires a regular file"),
            (("/dev/null", "--resume"), "--resume requires a regular file"),
        ],
    )
    def test_not_for_streams(self, command, emulator, arguments, said):
        """`download` rejects --json with stdout, and --resume unless FILE is a regular file."""
        code, _, err = command("download", "s3://b/k", *arguments)
        assert (code, err, emulator.requests) == (2, f"sagemaker-runtime: {said}\n", ())

    def test_device(self, command, emulator):
        """`download` can write to a device."""
        emulator.objects.put("s3://b/k", b"1,2")
        code, out, _ = command("download", "s3://b/k", "/dev/null", "--json")
        assert (code, json.loads(out)["size"]) == (0, 3)
        code, _, err = command("download", "s3://b/k", "/dev/full")
        assert (code, "No space left on device" in err) == (8, True)

    def test_missing(self, command, emulator, tmp_path):
        """If the object does not exist, `download` exits with code 4, and no file appears."""
        emulator.objects.create_bucket("b")
        code, _, err = command("download", "s3://b/k", str(tmp_path / "out"))
        assert (code, [*tmp_path.iterdir()]) == (4, [])
        assert "NoSuchKey" in err

    @pytest.mark.usefixtures("shortest_pauses")
    @pytest.mark.parametrize("target", ["out", "-"])
    def test_damaged(self, command, emulator, tmp_path, monkeypatch, target):
        """If the object is damaged in transit, `download` exits with code 7, and no file appears."""
        monkeypatch.chdir(tmp_path)
        command("upload", "-", "s3://b/k", stdin=b"1,2")
        emulator.faults.always(Faults.FLIPPED_BIT, on="GetObject")
        code, _, err = command("download", "s3://b/k", target)
        assert (code, [*tmp_path.iterdir()]) == (7, [])
        assert "CRC32" in err

    @pytest.mark.usefixtures("shortest_pauses")
    def test_resume(self, command, emulator, tmp_path):
        """`download --resume` requests only the ranges that an earlier, failed download has not
        stored.
        """
        out = tmp_path / "out"
        arguments = ("download", "s3://b/k", str(out), "--resume")
        emulator.objects.put("s3://b/k", LARGE)
        emulator.faults.once(Faults.ACCESS_DENIED, on="GetObject")
        assert command(*arguments)[0] == 4
        emulator.faults.clear()
        assert command(*arguments)[0] == 0
        assert ([*tmp_path.iterdir()], out.read_bytes() == LARGE) == ([out], True)

    def test_full_disk(self, emulator, bare_environment, tmp_path):
        """If the disk is too small for the object, `download` exits with code 8, and no file
        appears.
        """
        bare_environment.setenv("PYTHONPATH", SOURCES)
        emulator.objects.put("s3://b/k", b"1,2")
        line = f"ulimit -f 0; exec {PROGRAM} download s3://b/k {tmp_path / 'out'}"
        done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, check=False)
        assert (done.returncode, [*tmp_path.iterdir()]) == (8, [])
        assert b"File too large" in done.stderr

    @pytest.mark.parametrize("target", ["no/such/folder/out", "."])
    def test_no_target(self, command, emulator, capsysbinary, target):
        """If FILE cannot be written, `download` reports this before it sends any request."""
        with pytest.raises(SystemExit) as caught:
            command("download", "s3://b/k", target)
        assert (caught.value.code, emulator.requests) == (2, ())
        said = b"argument FILE: must be a writable file in a writable folder"
        assert said in capsysbinary.readouterr().err


class TestList:
    @pytest.fixture(autouse=True)
    def _objects(self, emulator):
        for key in ("a/1", "a/2\n", "b"):
            emulator.objects.put(f"s3://b/{key}", b"x" * 12)

    def test_lines(self, command, emulator):
        """`ls` prints one line for each object, with its date, its size and its location."""
        written = emulator.objects.get("s3://b/a/1").last_modified
        code, out, err = command("ls", "s3://b/a/")
        assert (code, err) == (0, "")
        first, second = out.decode().splitlines()
        assert first == f"{written:%Y-%m-%dT%H:%M:%SZ} {12:>15} s3://b/a/1"
        assert second.endswith(r" s3://b/a/2\n")

    def test_json(self, command, emulator):
        """`ls --json` prints one JSON document per line."""
        code, out, _ = command("ls", "s3://b", "--json", "--start-after", "a/1")
        assert code == 0
        found = [json.loads(line) for line in out.splitlines()]
        assert [one["location"] for one in found] == ["s3://b/a/2\n", "s3://b/b"]
        assert (found[1]["size"], found[1]["etag"]) == (12, emulator.objects.get("s3://b/b").etag)

    def test_none(self, command):
        """If there are no objects, `ls` prints nothing."""
        assert command("ls", "s3://b/c") == (0, b"", "")

    def test_some(self, command, emulator):
        """`ls --max-objects 1` prints one object and sends one request."""
        code, out, _ = command("ls", "s3://b", "--max-objects", "1")
        assert (code, out.count(b"\n"), len(emulator.requests)) == (0, 1, 1)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("b",), "PREFIX must be"),
            (("s3://b", "--max-objects", "-1"), "--max-objects must be"),
        ],
    )
    def test_wrong(self, command, emulator, arguments, said):
        """An invalid argument of `ls` causes exit code 2 and a message that mentions it."""
        code, out, err = command("ls", *arguments)
        assert (code, out, emulator.requests) == (2, b"", ())
        assert err.startswith(f"sagemaker-runtime: {said}")

    def test_pages(self, emulator, bare_environment):
        """If the reader of stdout stops, `ls` requests no more pages, and exits with code 141."""
        bare_environment.setenv("PYTHONPATH", SOURCES)
        for number in range(2001):
            emulator.objects.put(f"s3://c/{number:04}", b"")
        line = f"set -o pipefail; {PROGRAM} ls s3://c | head -n 1"
        done = subprocess.run(["bash", "-c", line], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (141, b"")
        assert done.stdout.endswith(b"s3://c/0000\n")


class TestPresign:
    def test_get(self, command, emulator):
        """`presign` prints a URL on stdout, with which the object can be read."""
        emulator.objects.put("s3://b/k", b"1,2")
        code, out, err = command("presign", "s3://b/k", "--expires", "60")
        assert code == 0
        assert err.startswith("the URL is a secret, and expires at 20")
        url = out.decode().strip()
        assert "X-Amz-Expires=60&" in url
        with urlopen(url) as response:
            assert response.read() == b"1,2"

    def test_put(self, command, emulator):
        """With the URL and the headers that `presign --put --json` prints, an object can be
        written.
        """
        arguments = ("presign", "s3://b/k", "--put", "--content-type", "text/csv")
        code, out, err = command(*arguments, "--metadata", "a=1", "--json")
        document = json.loads(out)
        assert (code, document["method"]) == (0, "PUT")
        assert err == f"the URL is a secret, and expires at {document['expires_at']}\n"
        request = Request(document["url"], b"1,2", document["headers"], method="PUT")
        with urlopen(request) as response:
            assert response.status == 200
        stored = emulator.objects.get("s3://b/k")
        assert (stored.body, stored.content_type, stored.metadata) == (
            b"1,2",
            "text/csv",
            {"a": "1"},
        )

    @pytest.mark.usefixtures("emulator")
    def test_headers(self, command):
        """Without --json, `presign --put` lists the names of the required headers on stderr."""
        code, _, err = command("presign", "s3://b/k", "--put", "--metadata", "a=private")
        said = "the request must have the headers x-amz-meta-a; --json prints their values\n"
        assert (code, said in err, "private" in err) == (0, True, False)

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--expires", "0"), "--expires must be"),
            (("--sse", "AES256"), "--sse requires --put"),
            (("--content-type", "a/b"), "--content-type requires --put"),
        ],
    )
    def test_wrong(self, command, emulator, arguments, said):
        """An invalid argument of `presign` causes exit code 2 and a message that mentions it."""
        code, out, err = command("presign", "s3://b/k", *arguments)
        assert (code, out, emulator.requests) == (2, b"", ())
        assert err.startswith(f"sagemaker-runtime: {said}")


@pytest.mark.parametrize("command", ["upload", "download", "presign"])
def test_closed_stdout(emulator, command, file, monkeypatch):
    """If a command needs stdout, and it is closed, the exit code is 2, and nothing is sent."""
    from sagemaker_runtime_client._cli.commands import main

    arguments = {
        "upload": (str(file), "s3://b/k", "--json"),
        "download": ("s3://b/k", "-"),
        "presign": ("s3://b/k",),
    }
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", None)
        code = main((command, *arguments[command]))
        sys.stdout.close()
    assert (code, emulator.requests) == (2, ())


def is_half(path):
    """Return whether half of the first part and all of the shorter second part were downloaded."""
    data = path.read_bytes()
    return {data[4 * MEBIBYTE - 1 : 4 * MEBIBYTE], data[len(LARGE) - 1 :]} == {b"\xff"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
class TestSignals:
    """A signal ends `upload` or `download`, which then cleans up."""

    @pytest.fixture(autouse=True)
    def _sources(self, bare_environment):
        bare_environment.setenv("PYTHONPATH", SOURCES)

    @staticmethod
    def wait_until(condition):
        while not condition():
            Event().wait(0.01)

    def test_upload(self, emulator, number):
        """An interrupted upload leaves neither an object nor parts in S3."""
        arguments = [*PROGRAM.split(), "upload", "-", "s3://b/k"]
        pipe = subprocess.PIPE
        with subprocess.Popen(arguments, stdin=pipe, stderr=pipe) as process:
            process.stdin.write(LARGE + LARGE)
            process.stdin.flush()
            self.wait_until(emulator.objects.list_uploads)
            process.send_signal(number)
            assert process.wait(60) == -number
            assert b"Traceback" not in process.stderr.read()
        assert (emulator.objects.list_uploads(), emulator.objects.list("s3://b/")) == ([], [])

    @pytest.mark.parametrize("resumes", [False, True])
    def test_download(self, emulator, tmp_path, number, resumes):
        """An interrupted `download` leaves no file, unless --resume keeps the data for a later
        call.
        """
        emulator.objects.put("s3://b/k", LARGE)
        emulator.faults.always(SlowBody(0.02), on="GetObject")
        out = tmp_path / "out"
        arguments = [*PROGRAM.split(), "download", "s3://b/k", str(out)]
        arguments += ["--resume"] * resumes
        with subprocess.Popen(arguments, stderr=subprocess.PIPE) as process:
            self.wait_until(lambda: any(map(is_half, tmp_path.glob("*.part"))))
            process.send_signal(number)
            assert process.wait(60) == -number
            assert b"Traceback" not in process.stderr.read()
        left = {path.name for path in tmp_path.iterdir()}
        if not resumes:
            assert left == set()
            return
        assert left == {".out.part", ".out.part.json"}
        emulator.faults.clear()
        subprocess.run(arguments, check=True, capture_output=True)
        assert ([*tmp_path.iterdir()], out.read_bytes() == LARGE) == ([out], True)
