import json
from collections.abc import Callable

from capo_sagemaker_runtime._protocol.eventstream import Message, MessageDecoder


def connect(_url: str) -> Callable[[str], object]:
    """Return a function that decodes events; its argument describes them in JSON."""

    def call(text: str) -> None:
        what = json.loads(text)
        data = Message(what["headers"], bytes(what["size"])).encode() * what["at_once"]
        decoder = MessageDecoder()
        for _ in range(what["events"] // what["at_once"]):
            for _message in decoder.feed(data):
                pass

    return call
