"""Converts a signed request to a shell command that runs curl.

All values are passed to curl on stdin, because any process on the machine can read the arguments of
another process.

Source: https://curl.se/docs/manpage.html, "--config"
"""

from collections.abc import Iterable

_ESCAPES = str.maketrans(
    {"\\": r"\\", '"': r"\"", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\v": r"\v"}
)


def curl(method: str, url: str, headers: Iterable[tuple[str, str]], data: str | None = None) -> str:
    """Return a shell command that sends a request exactly as it was signed.

    Args:
        method: The HTTP method, such as ``GET``.
        url: The signed URL.  The command has options that prevent curl from changing the URL.
        headers: Pairs of name and value, including the headers of the signature.
        data: The body, or ``@`` followed by the name of the file that contains the body; None for
            no body.
    """
    lines = [_line("url", url), "globoff", "path-as-is"]
    lines.append("head" if method == "HEAD" else _line("request", method))
    # curl sends a header without a value only if a semicolon follows the header's name.  A name
    # with a colon and no value would remove the header.
    pairs = [(name, value.strip(" \t")) for name, value in headers]
    lines += [_line("header", f"{name}: {value}" if value else f"{name};") for name, value in pairs]
    if data is not None:
        if all(name.lower() != "content-type" for name, _ in pairs):
            lines.append(
                _line("header", "content-type:")
            )  # the empty value removes curl's default header, which is not signed
        lines.append(_line("data-binary" if data.startswith("@") else "data-raw", data))
    return "\n".join(["curl --config - <<'END'", *lines, "END"])


def _line(option: str, value: str) -> str:
    return f'{option} = "{value.translate(_ESCAPES)}"'
