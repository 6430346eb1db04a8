"""API keys and usage plans."""

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
    tags: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleSettings:
    burst_limit: int = 0
    rate_limit: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaSettings:
    limit: int
    offset: int = 0
    period: str = "DAY"
    """DAY, WEEK or MONTH."""


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
