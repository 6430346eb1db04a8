"""What a definition may ask for and Tidegate does not do yet. Each is refused by name, where it is declared; none is ignored.

This list only shrinks: a feature leaves it in the change that makes it work.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core.errors import Problem
from tidegate.definition.records import Integration, RestApi, Stage


def api_refusals(api: RestApi) -> Iterator[Problem]:
    if "PRIVATE" in api.endpoint_configuration.types:
        yield _refuse("/endpointConfiguration/types", "private APIs")
    if api.security_policy is not None:
        yield _refuse("/securityPolicy", "a security policy")
    if api.endpoint_access_mode is not None:
        yield _refuse("/endpointAccessMode", "endpoint access modes")


def integration_refusals(integration: Integration, pointer: str) -> Iterator[Problem]:
    if integration.integration_target:
        yield _refuse(f"{pointer}/integrationTarget", "integration targets")


def stage_refusals(stage: Stage) -> Iterator[Problem]:
    if stage.cache_cluster_enabled:
        yield _refuse("/cacheClusterEnabled", "response caching")
    for key, setting in stage.method_settings.items():
        if setting.caching_enabled:
            yield _refuse(f"/methodSettings/{key.replace('/', '~1')}/cachingEnabled", "response caching")


def _refuse(pointer: str, what: str) -> Problem:
    return Problem(pointer, f"Tidegate does not support {what} yet")
