"""Checks for arguments that several operations on objects have in common."""

from .._errors import ParamValidationError


def check_number(argument: str, value: object, least: int, most: int, unit: str) -> int:
    """Return *value*, or raise ParamValidationError if it is not an integer in the range.

    Args:
        argument: The name of the argument.
        value: The value of the argument.
        least: The smallest number.
        most: The largest number.
        unit: The plural name of the unit, such as ``bytes``, for the error message.
    """
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    raise ParamValidationError(
        f"{argument} must be a whole number of {unit}, from {least:,} to {most:,}",
        argument=argument,
    )
