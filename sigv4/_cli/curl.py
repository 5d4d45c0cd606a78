"""
A signed request as a command line for a shell, with curl.

Everything that could be secret goes to curl's stdin, nothing to its arguments, which any process
on the machine can read.

Source: https://curl.se/docs/manpage.html, "--config"
"""

from collections.abc import Iterable

_ESCAPES = str.maketrans(
    {"\\": r"\\", '"': r"\"", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\v": r"\v"}
)


def curl(method: str, url: str, headers: Iterable[tuple[str, str]], data: str | None = None) -> str:
    """
    Return a command that sends a request, just as it was signed.

    Args:
        method: Such as ``GET``.
        url: As signed; curl is told to leave it as it is.
        headers: Names and values, those of the signature among them.
        data: The body, or ``@`` and the name of the file that holds it.
    """
    lines = [_line("url", url), "globoff", "path-as-is"]
    lines.append("head" if method == "HEAD" else _line("request", method))
    # An empty header ends with a semicolon; a colon would remove it.
    pairs = [(name, value.strip(" \t")) for name, value in headers]
    lines += [_line("header", f"{name}: {value}" if value else f"{name};") for name, value in pairs]
    if data is not None:
        if all(name.lower() != "content-type" for name, _ in pairs):
            lines.append(_line("header", "content-type:"))  # curl's own, which is not signed
        lines.append(_line("data-binary" if data.startswith("@") else "data-raw", data))
    return "\n".join(["curl --config - <<'END'", *lines, "END"])


def _line(option: str, value: str) -> str:
    return f'{option} = "{value.translate(_ESCAPES)}"'
