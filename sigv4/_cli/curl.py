"""A signed request as a curl command line for a shell.

All values are passed to curl's stdin, because any process on the machine can read its arguments.

Source: https://curl.se/docs/manpage.html, "--config"
"""

from collections.abc import Iterable

_ESCAPES = str.maketrans(
    {"\\": r"\\", '"': r"\"", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\v": r"\v"}
)


def curl(method: str, url: str, headers: Iterable[tuple[str, str]], data: str | None = None) -> str:
    """Return a command that sends a request exactly as it was signed.

    Args:
        method: The HTTP method, such as ``GET``.
        url: The signed URL; options of curl prevent that it changes the URL.
        headers: Names and values, including those of the signature.
        data: The body, or ``@`` and the name of the file that contains it.
    """
    lines = [_line("url", url), "globoff", "path-as-is"]
    lines.append("head" if method == "HEAD" else _line("request", method))
    # curl sends an empty header if its name ends with a semicolon; with a colon, curl would remove
    # the header.
    pairs = [(name, value.strip(" \t")) for name, value in headers]
    lines += [_line("header", f"{name}: {value}" if value else f"{name};") for name, value in pairs]
    if data is not None:
        if all(name.lower() != "content-type" for name, _ in pairs):
            lines.append(
                _line("header", "content-type:")
            )  # removes curl's default, which is not signed
        lines.append(_line("data-binary" if data.startswith("@") else "data-raw", data))
    return "\n".join(["curl --config - <<'END'", *lines, "END"])


def _line(option: str, value: str) -> str:
    return f'{option} = "{value.translate(_ESCAPES)}"'
