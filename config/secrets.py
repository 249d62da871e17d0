"""Secrets from files, as Docker and Kubernetes hand them out, and URLs without them.

- `BACKSHIP_<SETTING>_FILE` names a file that holds the value of a setting; a newline at its end is
  none of it. Both the variable and its file: an error that names both.
- `BACKSHIP_DATABASE_PASSWORD` and `BACKSHIP_BROKER_PASSWORD` (or their files) are put into the
  URLs, so that these need not hold them.

Errors name variables and files, never what is in them.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from config.errors import SettingsError

FILE_SUFFIX = "_FILE"
MASK = "***"
SECRET_BYTES_MAX = 65_536

_SECRET_NAMES = re.compile("password|passwd|secret|token", re.IGNORECASE)
_FROM = re.compile(r"^([^:/]+://).*@", re.DOTALL)


def from_files(environment: Mapping[str, str], known: list[str]) -> dict[str, tuple[str, str]]:
    """Return the settings given by a file: its path and its content, by the setting's variable.

    Raises SettingsError for a file that can not be read, and a setting that is given twice.
    """
    found = {}
    for name, path in environment.items():
        variable = name.upper().removesuffix(FILE_SUFFIX)
        if not name.upper().endswith(FILE_SUFFIX) or variable not in known:
            continue
        if any(other.upper() == variable for other in environment):
            raise SettingsError(f"{variable} and {name} are both set; one of them is enough")
        found[variable] = (path, _content(name, Path(path)))
    return found


def with_password(url: str, password: str, variable: str, url_variable: str) -> str:
    """Return one or several URLs (`;` between them) with a password put in behind the user.

    Raises SettingsError where a URL names no user, or holds a password already.
    """
    return ";".join(
        _with_password(part, password, variable, url_variable) for part in url.split(";")
    )


def masked(url: str) -> str:
    """Return one or several URLs (`;` between them) without their passwords."""
    return ";".join(_masked(part) for part in url.split(";"))


def _content(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_BYTES_MAX + 1)
        text = content.decode()
    except OSError as error:
        raise SettingsError(f"{name}: {path} can not be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{name}: {path} is not UTF-8 text") from None
    if len(content) > SECRET_BYTES_MAX:
        raise SettingsError(f"{name}: {path} is longer than {SECRET_BYTES_MAX} bytes")
    return text.removesuffix("\n").removesuffix("\r")


def _with_password(url: str, password: str, variable: str, url_variable: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise SettingsError(f"{url_variable} can not be read as a URL") from None
    name, at, host = parts.netloc.rpartition("@")
    if not at or not name:
        raise SettingsError(f"{variable} is set, but {url_variable} names no user it would be of")
    if ":" in name:
        raise SettingsError(f"{variable} is set, but {url_variable} holds a password already")
    return urlunsplit(parts._replace(netloc=f"{name}:{quote(password, safe='')}@{host}"))


def _masked(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return MASK
    behind = parts.path + parts.query + parts.fragment
    if "@" in behind and parts.netloc and "@" not in parts.netloc:
        # A password with a `/`, `?` or `#` in it that was not written as %2F, %3F or %23.
        return _FROM.sub(rf"\1{MASK}@", url)
    query = "&".join(
        f"{pair.split('=', 1)[0]}={MASK}" if _SECRET_NAMES.search(pair.split("=", 1)[0]) else pair
        for pair in parts.query.split("&")
    )
    name, at, host = parts.netloc.rpartition("@")
    user = name.split(":", 1)[0]
    secret = f":{MASK}" if ":" in name else ""
    shown = urlunsplit(parts._replace(netloc=f"{user}{secret}{at}{host}", query=query))
    # urlunsplit shortens sqlite:///file to sqlite:/file where there is no host.
    return shown if parts.netloc or not url.startswith(f"{parts.scheme}://") else url
