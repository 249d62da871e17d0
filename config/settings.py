"""Every setting: environment variables over `backship.toml` over these defaults (contract.md §5).

A variable is the field's name in capitals with the prefix `BACKSHIP_`, `__` for nesting. Every
limit carries its unit in its name. A name nobody knows is an error that names it.
`config.secrets` says how values come from files, and passwords into URLs.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from config import secrets
from config.errors import SettingsError
from events.vocabulary import BackorderPolicy, Sourcing
from handlers.policy import Policy, Rules

PREFIX = "BACKSHIP_"
TESTS_PREFIX = "BACKSHIP_TEST_"  # belongs to the test suite (contract.md §5)
FILE = "backship.toml"

Units = Annotated[int, Field(ge=0, le=1_000_000_000)]
Positive = Annotated[int, Field(ge=1, le=1_000_000_000)]


class PolicyDefaults(BaseModel):
    """The global default of each setting of domain.md §3; quantities in whole units."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    manage_stock: bool = True
    backorder_policy: BackorderPolicy = BackorderPolicy.ALLOW
    backorder_limit: Units | None = None
    safety_stock: Units = 0
    sourcing: Sourcing = Sourcing.STOCK
    auto_replenish: bool = True
    lead_time_days: Annotated[int, Field(ge=0, le=3_650)] | None = None
    min_order_qty: Positive = 1
    pack_size: Positive = 1
    min_sale_qty: Positive = 1
    sale_increment: Positive = 1

    @field_validator("backorder_limit", "lead_time_days", mode="before")
    @classmethod
    def _none_by_name(cls, value: object) -> object:
        """Read "" and "null" as no limit: an environment variable has no other way to say it."""
        return None if value in {"", "null", "none"} else value

    def policy(self) -> Policy:
        """Return them as the rules take them."""
        return Policy(**self.model_dump())


class Settings(BaseSettings):
    """The effective settings. Times are in the unit the name ends with."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    database_url: str = "sqlite:///backship.db"
    broker_url: str | None = None
    database_password: SecretStr | None = None
    broker_password: SecretStr | None = None
    topology_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,60}$")] = "backship"
    auto_replenish_enabled: bool = True
    keep_partial_allocations: bool = True
    wait_hours: Annotated[int, Field(ge=1, le=8_760)] = 24
    inbox_days: Annotated[int, Field(ge=1, le=36_500)] = 35
    emitted_days: Annotated[int, Field(ge=1, le=36_500)] = 35
    resolved_days: Annotated[int, Field(ge=1, le=36_500)] = 90
    defaults: PolicyDefaults = PolicyDefaults()

    batch_size_max: Annotated[int, Field(ge=1, le=1_000)] = 500
    batch_wait_ms_max: Annotated[int, Field(ge=0, le=10_000)] = 10
    prefetch_batches: Annotated[int, Field(ge=1, le=10)] = 3
    fill_step_lines_max: Annotated[int, Field(ge=1, le=100_000)] = 2_000
    walk_step_skus_max: Annotated[int, Field(ge=1, le=10_000)] = 200

    relay_window_max: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    publish_seconds_max: Annotated[float, Field(gt=0, le=300)] = 10.0
    heartbeat_seconds: Annotated[int, Field(ge=5, le=600)] = 30
    connect_seconds_max: Annotated[float, Field(gt=0, le=300)] = 10.0
    statement_seconds_max: Annotated[int, Field(ge=1, le=3_600)] = 60
    lock_seconds_max: Annotated[int, Field(ge=1, le=3_600)] = 10
    database_isolation: Literal["read_committed", "serializable"] = "read_committed"
    shutdown_seconds_max: Annotated[int, Field(ge=1, le=600)] = 20
    embedded_lease_seconds: Annotated[float, Field(gt=0, le=15)] = 15.0
    embedded_poll_ms: Annotated[int, Field(ge=1, le=5_000)] = 50
    metrics_port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    metrics_address: str = "127.0.0.1"
    log_level: Annotated[str, Field(pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("metrics_port", mode="before")
    @classmethod
    def _no_port_by_name(cls, value: object) -> object:
        """Read "" as none: nothing listens."""
        return None if value == "" else value

    @field_validator("broker_url", mode="before")
    @classmethod
    def _embedded_by_name(cls, value: object) -> object:
        """Read "" and "embedded" as the default."""
        return None if value in {"", "embedded"} else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources: what the program says, the environment, the file."""
        del dotenv_settings, file_secret_settings
        named = InitSettingsSource(settings_cls, _from_secret_files())
        toml = InitSettingsSource(settings_cls, _from_file(Path(FILE)))
        return init_settings, env_settings, named, toml

    def rules(self) -> Rules:
        """Return what the pure core is run with."""
        return Rules(
            defaults=self.defaults.policy(),
            auto_replenish_enabled=self.auto_replenish_enabled,
            keep_partial_allocations=self.keep_partial_allocations,
            fill_step_lines_max=self.fill_step_lines_max,
        )

    def shown(self) -> dict[str, Any]:
        """Return the settings with every secret masked (contract.md §5)."""
        values = self.model_dump(mode="json")
        values["database_url"] = secrets.masked(self.database_url)
        values["broker_url"] = secrets.masked(self.broker_url) if self.broker_url else "embedded"
        for name in ("database_password", "broker_password"):
            values[name] = None if values[name] is None else secrets.MASK
        return {**values, "from_files": dict(self._origins)} if self._origins else values


def read(**said: object) -> Settings:
    """Read the settings; `said` goes before environment and file.

    Raises SettingsError naming the variable or field, in one sentence.
    """
    _refuse_unknown(os.environ)
    try:
        return _with_secrets(Settings(**said))  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = "__".join(str(part) for part in first["loc"]).upper()
        reason = first["msg"].removeprefix("Value error, ")
        message = f"{PREFIX}{name} ({FILE}: {name.lower().replace('__', '.')}): {reason}"
        raise SettingsError(message) from None


def _with_secrets(given: Settings) -> Settings:
    """Put the passwords into the URLs; note which settings came from files."""
    urls = {}
    for name in ("database", "broker"):
        password: SecretStr | None = getattr(given, f"{name}_password")
        if password is not None:
            variable, url_variable = (
                f"{PREFIX}{name.upper()}_PASSWORD",
                f"{PREFIX}{name.upper()}_URL",
            )
            url = getattr(given, f"{name}_url") or ""
            secret = password.get_secret_value()
            urls[f"{name}_url"] = secrets.with_password(url, secret, variable, url_variable)
    complete = given.model_copy(update=urls)
    complete._origins.update(  # noqa: SLF001 - this module's own
        {
            variable.removeprefix(PREFIX).lower(): path
            for variable, (path, _text) in secrets.from_files(
                os.environ, _names_with_files()
            ).items()
        }
    )
    return complete


def _from_secret_files() -> dict[str, Any]:
    found = secrets.from_files(os.environ, _names_with_files())
    return {
        variable.removeprefix(PREFIX).lower(): text for variable, (_path, text) in found.items()
    }


def _names_with_files() -> list[str]:
    """Return the variables a file may stand for: all but the nested ones, which are no secrets."""
    return [name for name in known_names() if "__" not in name]


def known_names() -> list[str]:
    """Return the name of every variable, the nested ones spelled out."""
    names = []
    for name in Settings.model_fields:
        if name == "defaults":
            names += [f"{PREFIX}DEFAULTS__{inner.upper()}" for inner in asdict(Policy())]
        else:
            names.append(f"{PREFIX}{name.upper()}")
    return names


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = known_names()
    for name in sorted(environment):
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper.startswith(TESTS_PREFIX) or upper in known:
            continue
        if upper.removesuffix(secrets.FILE_SUFFIX) in _names_with_files():
            continue
        near = get_close_matches(upper, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        message = f"{name} is no setting of Backship{hint}"
        raise SettingsError(message)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{path} can not be read: {error}"
        raise SettingsError(message) from None
    for name in values:
        if name not in Settings.model_fields:
            near = get_close_matches(name, list(Settings.model_fields), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            message = f"{path}: {name} is no setting of Backship{hint}"
            raise SettingsError(message)
    return values
