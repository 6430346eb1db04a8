"""What a definition may ask for and Tidegate does not do yet. Each is refused by name, where it is declared; none is ignored.

This list only shrinks: a feature leaves it in the change that makes it work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tidegate.core.errors import Problem
from tidegate.definition.records import Integration, Method, RestApi, Stage

_VELOCITY = re.compile(r"[$#][!{]?[A-Za-z{*#\[]")
"""The beginning of a Velocity reference, directive or comment."""


def api_refusals(api: RestApi) -> Iterator[Problem]:
    if api.policy:
        yield _refuse("/policy", "resource policies")
    if api.minimum_compression_size is not None:
        yield _refuse("/minimumCompressionSize", "payload compression")
    if "PRIVATE" in api.endpoint_configuration.types:
        yield _refuse("/endpointConfiguration/types", "private APIs")
    if api.security_policy is not None:
        yield _refuse("/securityPolicy", "a security policy")
    if api.endpoint_access_mode is not None:
        yield _refuse("/endpointAccessMode", "endpoint access modes")


def method_refusals(method: Method, pointer: str) -> Iterator[Problem]:
    if method.authorization_type != "NONE":
        yield _refuse(f"{pointer}/authorizationType", f"authorization type {method.authorization_type}")
    if method.api_key_required:
        yield _refuse(f"{pointer}/apiKeyRequired", "API keys")
    if method.request_validator_id:
        yield _refuse(f"{pointer}/requestValidatorId", "request validators")


def integration_refusals(integration: Integration, pointer: str) -> Iterator[Problem]:
    if integration.type in ("AWS", "HTTP"):
        yield _refuse(f"{pointer}/type", f"integration type {integration.type}")
    if integration.connection_type == "VPC_LINK":
        yield _refuse(f"{pointer}/connectionType", "VPC links")
    if integration.response_transfer_mode == "STREAM":
        yield _refuse(f"{pointer}/responseTransferMode", "response streaming")
    if integration.integration_target:
        yield _refuse(f"{pointer}/integrationTarget", "integration targets")
    if integration.credentials and ":user/" in integration.credentials:
        yield _refuse(f"{pointer}/credentials", "passing on the caller's credentials")
    if integration.type == "MOCK":
        yield from _template_refusals(integration.request_templates, f"{pointer}/requestTemplates")
        for status, response in (integration.integration_responses or {}).items():
            yield from _template_refusals(
                response.response_templates, f"{pointer}/responses/{status}/responseTemplates"
            )
            if response.content_handling:
                yield _refuse(f"{pointer}/responses/{status}/contentHandling", "content handling of MOCK")


def _template_refusals(templates: Mapping[str, str | None] | None, pointer: str) -> Iterator[Problem]:
    for media_type, template in (templates or {}).items():
        if template and _VELOCITY.search(template):
            yield _refuse(f"{pointer}/{media_type.replace('/', '~1')}", "mapping templates with Velocity in them")


def stage_refusals(stage: Stage) -> Iterator[Problem]:
    if stage.cache_cluster_enabled:
        yield _refuse("/cacheClusterEnabled", "response caching")
    for key, setting in stage.method_settings.items():
        if setting.caching_enabled:
            yield _refuse(f"/methodSettings/{key.replace('/', '~1')}/cachingEnabled", "response caching")


def _refuse(pointer: str, what: str) -> Problem:
    return Problem(pointer, f"Tidegate does not support {what} yet")
