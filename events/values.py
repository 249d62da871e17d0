"""The base of every message, and the values they share: quantities, prices, objects, a customer.

Names are in `names`, instants in `instants`, closed lists in `vocabulary`.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

QTY_MAX = 1_000_000_000
LINES_MAX = 5_000
LEAD_TIME_DAYS_MAX = 3_650

# Above it a float may stand for several whole numbers.
_EXACT_FLOAT_MAX = 2**53


class Message(BaseModel):
    """The base of all that is sent: frozen, strict (no number is text), unknown fields ignored.

    An optional field that was absent or null is None. `null_clears` messages are the exception:
    there null clears and an absent field keeps; `model_fields_set` tells the two apart.
    """

    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", serialize_by_alias=True, allow_inf_nan=False
    )

    null_clears: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Cause:
    """The event in that brought something about: its identity (`source`, `id`) and type."""

    source: str
    id: str
    type: str


def _not_zero(value: int) -> int:
    if value == 0:
        raise PydanticCustomError("zero_qty", "must not be 0")
    return value


Qty = Annotated[int, Field(ge=1, le=QTY_MAX, description="whole units, 1 to 10^9")]
QtyOrZero = Annotated[int, Field(ge=0, le=QTY_MAX, description="whole units, 0 to 10^9")]
QtyNotZero = Annotated[
    int,
    Field(
        ge=-QTY_MAX,
        le=QTY_MAX,
        description="whole units, -10^9 to 10^9, not 0",
        json_schema_extra={"not": {"const": 0}},
    ),
    AfterValidator(_not_zero),
]
Priority = Annotated[
    int, Field(ge=0, le=QTY_MAX, description="whole number, 0 to 10^9; lower goes first")
]
Version = Annotated[int, Field(ge=1, le=QTY_MAX, description="whole number, 1 to 10^9")]
LeadTimeDays = Annotated[
    int, Field(ge=0, le=LEAD_TIME_DAYS_MAX, description="calendar days, 0 to 3,650")
]
Text = Annotated[str, Field(description="text")]


def _price(value: object) -> int | float | str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise PydanticCustomError("price_type", "must be a number or text")
    return value


def _one_spelling(value: JsonValue) -> JsonValue:
    """Write 5.0 as 5, as other languages do, so that a re-serialised message stays the same."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_FLOAT_MAX:
        return int(value)
    if isinstance(value, dict):
        return {key: _one_spelling(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_one_spelling(inner) for inner in value]
    return value


UnitPrice = Annotated[
    int | float | str,
    PlainValidator(_price),
    PlainSerializer(_one_spelling),
    WithJsonSchema(
        {"type": ["number", "string"], "description": "number or text; kept, never computed with"}
    ),
]
JsonObject = Annotated[
    dict[str, JsonValue],
    PlainSerializer(_one_spelling),
    WithJsonSchema({"type": "object", "description": "any JSON object; kept as it is"}),
]


class Customer(Message):
    """Who ordered, as far as the shop tells: for its own messages to them, never looked up."""

    email: Text | None = None
    name: Text | None = None
    locale: Text | None = None
