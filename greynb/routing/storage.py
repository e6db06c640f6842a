"""Where a DuckLake's files lie on S3-like storage, and the keys for it: what AWS's own tools read, too.

The variables are those of every program for S3, in the environment or the ``.env`` file; what they leave out
comes from the profile that ``AWS_PROFILE`` names (``default``) in ``~/.aws/credentials`` and
``~/.aws/config``: https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html. The two files are
read when something connects, not for each cell.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from greynb.errors import RoutingError
from greynb.routing.envfile import chosen_by

STORAGE_VARIABLES: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL",
    "AWS_CA_BUNDLE",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "HTTP_PROXY",
)
_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_REGION: Final = "us-east-1"
"""AWS's first, which other makes of storage expect where nothing is said."""


class Given(NamedTuple):
    """A variable that is set: its name and text, and the ``.env`` file where it was set there."""

    name: str
    text: str
    env_file: Path | None


@dataclass(frozen=True, slots=True)
class S3:
    """A server of S3's protocol, and how to sign what is asked of it.

    Attributes
    ----------
    host, port
        Where it listens.
    use_ssl
        Whether it is spoken to in TLS.
    is_aws
        Whether it is Amazon's, where a bucket is a part of the host's name, and not of the path.
    authorities
        A file of the certificates to trust in place of the system's; None for these.
    region
        What signatures name.
    key, secret, token
        The credentials; None where there are none, for a bucket that everyone may read.
    host_by, keys_by
        What chose the server and the keys, in words for an error.
    """

    host: str
    port: int
    use_ssl: bool
    is_aws: bool
    authorities: str | None
    region: str
    key: str | None
    secret: str | None = field(repr=False)
    token: str | None = field(repr=False)
    host_by: str
    keys_by: str

    @property
    def address(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Storage:
    """What the environment says of S3-like storage.

    Attributes
    ----------
    given
        The variables that are set; some hold secrets, so no `repr` shows them.
    """

    given: tuple[Given, ...] = field(default=(), repr=False)

    @property
    def is_proxied(self) -> bool:
        """Whether DuckDB goes through a proxy, which it looks for in the environment alone."""
        return any(each.name == "HTTP_PROXY" and each.env_file is None for each in self.given)

    def s3(self) -> S3:
        """Which server it is, with which keys.

        Raises
        ------
        RoutingError
            An endpoint that is no address, half a pair of keys, or a profile that is not there. The message
            repeats no value.
        """
        profile = self._profile()
        host, port, use_ssl, host_by = self._endpoint(profile)
        key, secret, token, keys_by = self._keys(profile)
        return S3(
            host,
            port,
            use_ssl,
            host.endswith((".amazonaws.com", ".amazonaws.com.cn")),
            self._text("AWS_CA_BUNDLE") or profile.values.get("ca_bundle"),
            self._region(profile),
            key,
            secret,
            token,
            host_by,
            keys_by,
        )

    def _text(self, *names: str) -> str | None:
        found = {each.name: each.text for each in self.given}
        return next((found[name] for name in names if name in found), None)

    def _by(self, name: str) -> str:
        return next(chosen_by(name, each.env_file) for each in self.given if each.name == name)

    def _region(self, profile: _Profile) -> str:
        return self._text("AWS_REGION", "AWS_DEFAULT_REGION") or profile.values.get("region") or _REGION

    def _endpoint(self, profile: _Profile) -> tuple[str, int, bool, str]:
        for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
            if text := self._text(name):
                return (*_place(text, name, self._by(name)), self._by(name))
        if text := profile.values.get("endpoint_url"):
            return (*_place(text, "endpoint_url", profile.words), profile.words)
        host = f"s3.{self._region(profile)}.amazonaws.com"
        return host, 443, True, "AWS_ENDPOINT_URL_S3 is not set, so it is Amazon's"

    def _keys(self, profile: _Profile) -> tuple[str | None, str | None, str | None, str]:
        texts = [self._text(name) for name in _KEYS]
        by = _KEYS[0]
        if texts[0] or texts[1]:
            by = self._by(_KEYS[0] if texts[0] else _KEYS[1])
        else:
            texts = [profile.values.get(name.lower()) for name in _KEYS]
            by = profile.words
        if bool(texts[0]) != bool(texts[1]):
            missing = _KEYS[1 if texts[0] else 0]
            del texts  # no traceback shows the other one
            raise RoutingError(
                f"S3 needs two keys, and {missing} is missing", chosen_by=by, hint=f"set {missing}, too"
            )
        if not texts[0]:
            return None, None, None, "AWS_ACCESS_KEY_ID is not set"
        return texts[0], texts[1], texts[2] or None, by

    def _profile(self) -> _Profile:
        asked = self._text("AWS_PROFILE")
        name = asked or "default"
        values: dict[str, str] = {}
        places = (
            ("AWS_CONFIG_FILE", "~/.aws/config", (name if name == "default" else f"profile {name}",)),
            ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", (name,)),
        )
        found = False
        for variable, default, sections in places:
            for section in _sections(self._text(variable) or default, variable, sections):
                found = True
                values |= section
        if asked and not found:
            raise RoutingError(
                "AWS's files have no such profile",
                chosen_by=self._by("AWS_PROFILE"),
                hint="`aws configure list-profiles` lists them",
            )
        return _Profile(values, f"the profile {name} of ~/.aws")


class _Profile(NamedTuple):
    values: dict[str, str]
    words: str


def _sections(text: str, variable: str, names: Iterable[str]) -> Iterable[dict[str, str]]:
    """What an AWS file says under a name; nothing where there is no such file."""
    from configparser import Error, RawConfigParser

    parser = RawConfigParser(strict=False)
    try:
        path = Path(text).expanduser()
        parser.read_string(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, RuntimeError):
        return []
    except (OSError, ValueError, Error):
        # What the parser says repeats a line of the file, which may be a key.
        failed = f"{path} cannot be read as a file of AWS's"
    else:
        return [dict(parser.items(name)) for name in names if parser.has_section(name)]
    raise RoutingError(failed, hint=f"set {variable} to name another")


def _place(text: str, name: str, by: str) -> tuple[str, int, bool]:
    """Host, port and whether TLS is spoken, of an endpoint."""
    refused = RoutingError(
        f"the S3 address in {name} is not understood", chosen_by=by, hint="write https://host:port"
    )
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError:
        raise refused from None
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if more or not parts.hostname or parts.scheme not in ("http", "https"):
        raise refused
    use_ssl = parts.scheme == "https"
    return parts.hostname, port or (443 if use_ssl else 80), use_ssl
