"""The names that reading and writing OpenAPI files share: API Gateway's extensions and what goes where in them.

Source: *API Gateway extensions to OpenAPI* and the page of each extension; shared facts, rest-control-plane §13.
"""

from __future__ import annotations

from typing import Final

VERBS: Final = ("get", "put", "post", "delete", "patch", "options", "head")
"""Of a Path Item, in OpenAPI's order; `trace` is none of API Gateway's."""

PREFIX: Final = "x-amazon-apigateway-"
ANY_METHOD: Final = "x-amazon-apigateway-any-method"
API_KEY_SOURCE: Final = "x-amazon-apigateway-api-key-source"
AUTH: Final = "x-amazon-apigateway-auth"
AUTHORIZER: Final = "x-amazon-apigateway-authorizer"
AUTHTYPE: Final = "x-amazon-apigateway-authtype"
BINARY_MEDIA_TYPES: Final = "x-amazon-apigateway-binary-media-types"
DOCUMENTATION: Final = "x-amazon-apigateway-documentation"
ENDPOINT_ACCESS_MODE: Final = "x-amazon-apigateway-endpoint-access-mode"
ENDPOINT_CONFIGURATION: Final = "x-amazon-apigateway-endpoint-configuration"
GATEWAY_RESPONSES: Final = "x-amazon-apigateway-gateway-responses"
INTEGRATION: Final = "x-amazon-apigateway-integration"
MINIMUM_COMPRESSION_SIZE: Final = "x-amazon-apigateway-minimum-compression-size"
POLICY: Final = "x-amazon-apigateway-policy"
REQUEST_VALIDATOR: Final = "x-amazon-apigateway-request-validator"
REQUEST_VALIDATORS: Final = "x-amazon-apigateway-request-validators"
SECURITY_POLICY: Final = "x-amazon-apigateway-security-policy"

HTTP_API_ONLY: Final = frozenset(
    {
        "x-amazon-apigateway-cors",
        "x-amazon-apigateway-importexport-version",
        "x-amazon-apigateway-integrations",
        "x-amazon-apigateway-tag-value",
    }
)
"""Extensions that mean something to HTTP APIs alone."""

AWS_SIGV4: Final = "awsSigv4"
"""The `authtype` of a scheme that stands for AWS_IAM."""
API_KEY_HEADER: Final = "x-api-key"

AUTHORIZER_TYPES: Final = {
    "token": "TOKEN",
    "request": "REQUEST",
    "cognito_user_pools": "COGNITO_USER_POOLS",
}
"""In a file → in the record."""

AUTHORIZER_MEMBERS: Final = {
    "authorizerUri": "authorizer_uri",
    "authorizerCredentials": "authorizer_credentials",
    "identitySource": "identity_source",
    "identityValidationExpression": "identity_validation_expression",
    "authorizerResultTtlInSeconds": "authorizer_result_ttl_in_seconds",
    "providerARNs": "provider_arns",
}
"""Members of the authorizer extension → fields of the record; `type` is apart."""

INTEGRATION_MEMBERS: Final = {
    "uri": "uri",
    "credentials": "credentials",
    "connectionType": "connection_type",
    "connectionId": "connection_id",
    "passthroughBehavior": "passthrough_behavior",
    "contentHandling": "content_handling",
    "timeoutInMillis": "timeout_in_millis",
    "cacheNamespace": "cache_namespace",
    "cacheKeyParameters": "cache_key_parameters",
    "requestParameters": "request_parameters",
    "requestTemplates": "request_templates",
    "responseTransferMode": "response_transfer_mode",
    "integrationTarget": "integration_target",
}
"""Members of the integration extension → fields of the record; `type`, `httpMethod`, `responses` and `tlsConfig` are apart."""

PARAMETER_PLACES: Final = {"query": "querystring", "header": "header", "path": "path"}
"""`in` of a parameter → the place in `method.request.PLACE.NAME`."""

GATEWAY_RESPONSE_TYPES: Final = (
    "ACCESS_DENIED",
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
)

DEFAULT_MODELS: Final = ("Empty", "Error")
"""What every API is born with."""

_MODELS: Final = "https://apigateway.amazonaws.com/restapis/"


def model_url(api_id: str, name: str) -> str:
    """What a stored schema refers to another model by."""
    return f"{_MODELS}{api_id}/models/{name}"


def model_name(url: str) -> str | None:
    """The name in such a reference; None: it refers to something else."""
    api_id, found, name = url.removeprefix(_MODELS).partition("/models/")
    return name if found and url.startswith(_MODELS) and "/" not in api_id else None
