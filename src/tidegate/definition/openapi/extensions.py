"""Names that reading and writing OpenAPI files share: API Gateway's extensions, and how stored schemas refer to models.

Source: *API Gateway extensions to OpenAPI*; shared facts, rest-control-plane §13.
"""

from __future__ import annotations

import re

PREFIX = "x-amazon-apigateway-"

VERBS = ("get", "put", "post", "delete", "patch", "options", "head")
ANY_METHOD = PREFIX + "any-method"

# In the root.
API_KEY_SOURCE = PREFIX + "api-key-source"
BINARY_MEDIA_TYPES = PREFIX + "binary-media-types"
DOCUMENTATION = PREFIX + "documentation"
ENDPOINT_ACCESS_MODE = PREFIX + "endpoint-access-mode"
ENDPOINT_CONFIGURATION = PREFIX + "endpoint-configuration"
"""In the root of Swagger 2.0, of the server in OpenAPI 3.0."""
GATEWAY_RESPONSES = PREFIX + "gateway-responses"
MINIMUM_COMPRESSION_SIZE = PREFIX + "minimum-compression-size"
POLICY = PREFIX + "policy"
REQUEST_VALIDATORS = PREFIX + "request-validators"
SECURITY_POLICY = PREFIX + "security-policy"

# Of an operation.
AUTH = PREFIX + "auth"
INTEGRATION = PREFIX + "integration"
REQUEST_VALIDATOR = PREFIX + "request-validator"
"""In the root too: for the operations that name none."""

# Of a security scheme.
AUTHORIZER = PREFIX + "authorizer"
AUTHTYPE = PREFIX + "authtype"
SIGV4 = "awsSigv4"
"""The value of `authtype` that stands for AWS_IAM."""
KEY_HEADER = "x-api-key"
"""The header of the scheme that stands for `apiKeyRequired`."""

DEFAULT_RESPONSE = "default"
"""The key of an integration's response that has no selection pattern."""

HTTP_API_ONLY = frozenset(PREFIX + name for name in ("cors", "importexport-version", "integrations", "tag-value"))
"""Extensions that mean something to HTTP APIs alone."""

PARAMETER_PLACES = {"query": "querystring", "header": "header", "path": "path"}
"""`in` of a parameter → PLACE in `method.request.PLACE.NAME`."""

AUTHORIZER_TYPES = {"token": "TOKEN", "request": "REQUEST", "cognito_user_pools": "COGNITO_USER_POOLS"}
"""`type` in the authorizer extension → of the record."""

AUTHORIZER_MEMBERS = {
    "authorizerUri": "authorizer_uri",
    "authorizerCredentials": "authorizer_credentials",
    "identitySource": "identity_source",
    "identityValidationExpression": "identity_validation_expression",
    "authorizerResultTtlInSeconds": "authorizer_result_ttl_in_seconds",
    "providerARNs": "provider_arns",
}
"""Members of the authorizer extension → fields of the record; `type` is apart."""

INTEGRATION_MEMBERS = {
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
"""Members of the integration extension → fields of the record; `type`, `httpMethod`, `responses`, `tlsConfig` are apart."""

GATEWAY_RESPONSE_TYPES = (
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

DEFAULT_MODELS = ("Empty", "Error")
"""What every API is born with."""

DEFINITIONS = {"swagger": "#/definitions/", "oas30": "#/components/schemas/"}
"""Where each version keeps its schemas."""

MODEL_URL = re.compile(r"https://apigateway\.amazonaws\.com/restapis/[^/]+/models/([^/#]+)(?:#(/.*)?)?")
"""AWS: how a stored schema refers to another model. Groups: the model's name; where in it."""


def model_url(api_id: str, name: str) -> str:
    return f"https://apigateway.amazonaws.com/restapis/{api_id}/models/{name}"
