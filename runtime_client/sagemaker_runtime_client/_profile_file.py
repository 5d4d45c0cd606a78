"""The shared files ~/.aws/config and ~/.aws/credentials, as text and as profiles.  Pure."""

from collections.abc import Mapping

from attrs import field, frozen

Section = Mapping[str, "str | Mapping[str, str]"]


@frozen
class Profiles:
    """
    What the shared files say.

    Attributes:
        profiles: By name; the credentials file's values win over the config file's.
        sso_sessions: The ``[sso-session NAME]`` sections, by name.
        services: The ``[services NAME]`` sections, by name; their values are nested.
    """

    profiles: Mapping[str, Section] = field(factory=dict, repr=False)
    sso_sessions: Mapping[str, Section] = field(factory=dict, repr=False)
    services: Mapping[str, Section] = field(factory=dict, repr=False)
