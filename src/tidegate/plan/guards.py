"""Compiling who may call a method: authorization types, authorizers, resource policies.

Source: *Controlling and managing access to a REST API*; shared facts, access §1 to §5.
"""

from __future__ import annotations

import re
from typing import Any

from tidegate.aws.policy import PolicyError
from tidegate.aws.policy.api_gateway import ApiRules, compile_resource_policy
from tidegate.core.arns import execute_api_arn
from tidegate.core.errors import Problem
from tidegate.definition.records import Authorizer, DeploymentDocument, Method
from tidegate.mapping.parameters import Source
from tidegate.plan.integrations.common import MissingVariable, Surroundings
from tidegate.plan.nodes import Guard, IamGuard, LambdaGuard, UserPool, UserPoolGuard, Values
from tidegate.vtl import JavaPattern, PatternError, compile_java

_FUNCTION = re.compile(r":lambda:path/2015-03-31/functions/(arn:[^/]+)/invocations$")
_POOL = re.compile(r"arn:aws[\w-]*:cognito-idp:([\w-]+):\d{12}:userpool/([\w-]+)")
_DEFAULT_TTL = 300


def compile_rules(document: DeploymentDocument, around: Surroundings) -> ApiRules | None:
    policy = document.api.policy
    if not policy:
        return None
    try:
        compiled = compile_resource_policy(policy, region=around.region, account=around.account, api_id=document.api.id)
    except PolicyError as error:
        around.problem("/policy", f"Invalid policy document: {error}")
        return None
    return ApiRules(around.account, compiled)


def compile_guard(method: Method, document: DeploymentDocument, around: Surroundings, pointer: str) -> Guard | None:
    """None for NONE, and with a problem noted for what cannot be compiled: nothing is deployed then."""
    if method.authorization_type == "NONE":
        return None
    if method.authorization_type == "AWS_IAM":
        return IamGuard()
    authorizer = next((each for each in document.authorizers if each.id == method.authorizer_id), None)
    if authorizer is None:
        around.problem(f"{pointer}/authorizerId", "Invalid authorizer ID specified")
        return None
    at = f"/authorizers/{authorizer.id}"
    pattern = _pattern(authorizer, around, at)
    try:
        if method.authorization_type == "CUSTOM":
            return _lambda_guard(authorizer, pattern, around, at)
        return _pool_guard(authorizer, method, pattern, around, at)
    except MissingVariable as missing:
        around.problem(at, str(missing))
        return None


def _pattern(authorizer: Authorizer, around: Surroundings, at: str) -> JavaPattern | None:
    if not authorizer.identity_validation_expression:
        return None
    try:
        return compile_java(authorizer.identity_validation_expression)
    except PatternError as error:
        around.problem(f"{at}/identityValidationExpression", str(error))
        return None


def _sources(authorizer: Authorizer, around: Surroundings, at: str) -> list[tuple[str, Source]]:
    expressions = [each.strip() for each in (authorizer.identity_source or "").split(",") if each.strip()]
    found = [(each, around.source(each, f"{at}/identitySource", response=False)) for each in expressions]
    return [(expression, source) for expression, source in found if source is not None]


def _identity(authorizer: Authorizer, around: Surroundings, at: str) -> tuple[Values, ...]:
    """All values of each source: what a function may look at tells its answers apart."""
    return tuple(_values(expression, source) for expression, source in _sources(authorizer, around, at))


def _values(expression: str, source: Source) -> Values:
    where, _, name = expression.removeprefix("method.request.").partition(".")
    if where == "querystring":
        return lambda exchange: tuple(exchange.arguments.get(name, ()))
    if where == "header":
        lower = name.lower().encode()
        return lambda exchange: tuple(
            value.decode("utf-8", "replace") for value in exchange.request.headers.get_all(lower)
        )

    def values(exchange: Any) -> tuple[str, ...]:
        value = source(exchange)
        return () if value is None else (value,)

    return values


def _only(values: Values) -> Source:
    """One value. Of two tokens one would be looked at here and the other behind: together they count as none."""

    def source(exchange: Any) -> str | None:
        given = values(exchange)
        return given[0] if len(given) == 1 else None

    return source


def _ttl(authorizer: Authorizer) -> float:
    ttl = authorizer.authorizer_result_ttl_in_seconds
    return float(_DEFAULT_TTL if ttl is None else ttl)


def _lambda_guard(
    authorizer: Authorizer, pattern: JavaPattern | None, around: Surroundings, at: str
) -> LambdaGuard | None:
    found = _FUNCTION.search(around.substituted(authorizer.authorizer_uri or ""))
    if found is None or authorizer.type not in ("TOKEN", "REQUEST"):
        around.problem(f"{at}/authorizerUri", f"Invalid Authorizer URI: {authorizer.authorizer_uri}")
        return None
    identity = _identity(authorizer, around, at)
    return LambdaGuard(
        id=authorizer.id,
        kind=authorizer.type,
        function_arn=found[1],
        source_arn=execute_api_arn(around.region, around.account, around.api_id, f"authorizers/{authorizer.id}"),
        by_policy=authorizer.authorizer_credentials is None,
        identity=identity,
        pattern=pattern,
        # Without an identity, one caller's answer would be everybody's.
        ttl=_ttl(authorizer) if identity else 0.0,
        kept_as=f"{authorizer.id} {authorizer.type} {found[1]} {authorizer.identity_source}",
    )


def _pool_guard(
    authorizer: Authorizer, method: Method, pattern: JavaPattern | None, around: Surroundings, at: str
) -> UserPoolGuard | None:
    pools = {}
    for arn in authorizer.provider_arns or ():
        found = _POOL.fullmatch(around.substituted(arn))
        if found is None:
            around.problems.append(Problem(f"{at}/providerARNs", f"Invalid user pool ARN: {arn}"))
            return None
        issuer = f"https://cognito-idp.{found[1]}.amazonaws.com/{found[2]}"
        pools[issuer] = UserPool(found[2], found[1], issuer)
    identity = _identity(authorizer, around, at)
    if not identity or not pools:
        around.problem(at, "a user pool authorizer needs an identity source and a user pool")
        return None
    return UserPoolGuard(
        pools=pools,
        token=_only(identity[0]),
        pattern=pattern,
        scopes=frozenset(method.authorization_scopes or ()),
        ttl=_ttl(authorizer),
        kept_as=" ".join((authorizer.id, *sorted(pools))),
    )
