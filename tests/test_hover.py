"""Test what editors and notebooks show about a client's methods.

An editor shows pyright's text when the pointer hovers over a name.  A notebook shows jedi's help
for a live object.
"""

import json
import subprocess
import sys
from inspect import getdoc, signature
from pathlib import Path
from typing import Any, Self

import jedi
import pytest

from sagemaker_runtime_client import AsyncSageMakerRuntimeClient, SageMakerRuntimeClient

ROOT = Path(__file__).parent.parent
OPERATIONS = (
    *("invoke_endpoint_async", "submit", "wait", "infer"),
    *("invoke_endpoint", "invoke_inference_router", "invoke_inference_router_async"),
    *("fetch", "put_object", "get_object", "head_object", "verify_sns"),
    *(
        "list_objects",
        "delete_object",
        "delete_objects",
        "presign_get",
        "presign_put",
        "abort_uploads",
    ),
)
PROGRAM = """
from sagemaker_runtime_client import AsyncSageMakerRuntimeClient, SageMakerRuntimeClient

blocking, awaited = SageMakerRuntimeClient(), AsyncSageMakerRuntimeClient()
"""


class LanguageServer:
    """Runs pyright's language server, and sends it requests as an editor does.

    Args:
        folder: The folder with the program that is open in the editor.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [Path(sys.executable).with_name("pyright-langserver"), "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._id = 0

    def __enter__(self) -> Self:
        folder = {"uri": self._folder.as_uri(), "name": "test"}
        markdown = {"textDocument": {"hover": {"contentFormat": ["markdown"]}}}
        self._ask("initialize", processId=None, capabilities=markdown, workspaceFolders=[folder])
        self._send(method="initialized", params={})
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def open(self, text: str) -> None:
        """Open a program with this text in the editor."""
        document = {"uri": self._uri, "languageId": "python", "version": 1, "text": text}
        self._send(method="textDocument/didOpen", params={"textDocument": document})

    def hover(self, line: int, character: int) -> str:
        """Return what is shown for the name at a line and column, which are both counted from 0."""
        place = {"line": line, "character": character}
        found = self._ask("textDocument/hover", textDocument={"uri": self._uri}, position=place)
        return found["contents"]["value"] if found else ""

    @property
    def _uri(self) -> str:
        return (self._folder / "program.py").as_uri()

    def _ask(self, method: str, **params: Any) -> Any:
        self._id += 1
        self._send(method=method, id=self._id, params=params)
        while (message := self._receive()).get("id") != self._id or "method" in message:
            if "id" in message:  # a request from the server, for example for settings
                items = message["params"].get("items", [])
                self._send(id=message["id"], result=[{} for _ in items])
        return message["result"]

    def _send(self, **message: Any) -> None:
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        size = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                size = int(value)
        message: dict[str, Any] = json.loads(self._process.stdout.read(size))
        return message


def test_hover_of_pyright(tmp_path):
    """On hover, pyright shows each method's signature and the beginning of its docstring."""
    lines = [f"{name}.{method}" for name in ("blocking", "awaited") for method in OPERATIONS]
    paths = {"extraPaths": [str(ROOT), str(ROOT / "runtime_client")]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(paths))
    start = len(PROGRAM.splitlines())
    with LanguageServer(tmp_path) as server:
        server.open(PROGRAM + "\n".join(lines))
        shown = {
            line: server.hover(start + number, line.index(".") + 1)
            for number, line in enumerate(lines)
        }
    for line, text in shown.items():
        method = getattr(SageMakerRuntimeClient, line.partition(".")[2])
        for argument in list(signature(method).parameters)[1:]:
            assert argument in text, line
        assert str(getdoc(method)).split()[:3] == text.partition("---")[2].split()[:3]
        is_awaited = line.startswith("awaited") and not line.endswith("list_objects")
        assert ("Coroutine[Any, Any, " in text) == is_awaited


@pytest.mark.parametrize("client", [SageMakerRuntimeClient, AsyncSageMakerRuntimeClient])
@pytest.mark.parametrize("name", OPERATIONS)
def test_help_of_jedi(client, name):
    """jedi, which IPython and Jupyter use, returns a method's arguments and docstring."""
    method = getattr(client, name)
    call = jedi.Interpreter(f"client.{name}(", [{"client": client()}])
    [found] = call.get_signatures()
    assert [argument.name for argument in found.params] == list(signature(method).parameters)[1:]
    assert str(getdoc(method)).splitlines()[0] in found.docstring()
