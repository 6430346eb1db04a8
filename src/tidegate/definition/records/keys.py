"""API keys and usage plans, and the records that find them without a scan."""

from __future__ import annotations

from dataclasses import dataclass, field

from tidegate.definition.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey(Record):
    KEY = ("id",)

    id: str
    value: str
    name: str | None = None
    customer_id: str | None = None
    description: str | None = None
    enabled: bool = False
    created_date: float
    last_updated_date: float
    stage_keys: list[str] = field(default_factory=list)
    """`apiId/stage`, as the deprecated member has them."""
    usage_plan_ids: list[str] = field(default_factory=list)
    """The plans that it is a member of, so that nobody has to look for them; `UsagePlanKey` is the other direction."""
    order: str
    """Its place in `ApiKeyOrder`."""
    tags: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyValue(Record):
    """Finds a key by its value, without a scan and without the value in a key of the store."""

    KEY = ("digest",)

    digest: str
    """SHA-256 of the value, hexadecimal."""
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyOrder(Record):
    """Lists keys as AWS does, the newest first: `order` falls with every key that is made."""

    KEY = ("order",)

    order: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleSettings:
    burst_limit: int = 0
    rate_limit: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaSettings:
    limit: int = 0
    offset: int = 0
    """Requests that are subtracted from the limit in a key's first period."""
    period: str = ""
    """DAY, WEEK or MONTH; always set once it is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiStage:
    api_id: str
    stage: str
    throttle: dict[str, ThrottleSettings] | None = None
    """By `/path/VERB`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePlan(Record):
    KEY = ("id",)

    id: str
    name: str
    description: str | None = None
    api_stages: list[ApiStage] = field(default_factory=list)
    throttle: ThrottleSettings | None = None
    quota: QuotaSettings | None = None
    product_code: str | None = None
    tags: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePlanKey(Record):
    """An API key's membership of a plan."""

    KEY = ("usage_plan_id", "id")

    usage_plan_id: str
    id: str
    """Of the API key."""
    type: str = "API_KEY"
    added_date: float
    """When its first period began: that is where the quota's offset counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePlanStage(Record):
    """Finds the plans of an API stage; kept in step with `UsagePlan.api_stages`."""

    KEY = ("api_id", "stage", "usage_plan_id")

    api_id: str
    stage: str
    usage_plan_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageExtension(Record):
    """What UpdateUsage granted: a remaining quota that holds from a day to the end of its period."""

    KEY = ("usage_plan_id", "id")

    usage_plan_id: str
    id: str
    """Of the API key."""
    date: str
    """The day, `YYYY-MM-DD`."""
    remaining: int
