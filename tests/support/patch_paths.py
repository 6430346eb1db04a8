"""What may be patched of the entities of API Gateway: AWS's table (*Patch operations*, API reference) as data.

By operation: the paths, each with the ops that it takes. `{…}` stands for any one segment. Paths that Tidegate takes besides
stand apart, each with the reason.
"""

from __future__ import annotations

from itertools import product

_SETTINGS = (
    "metrics/enabled",
    "logging/dataTrace",
    "logging/loglevel",
    "throttling/burstLimit",
    "throttling/rateLimit",
    "caching/enabled",
    "caching/ttlInSeconds",
    "caching/dataEncrypted",
    "caching/requireAuthorizationForCacheControl",
    "caching/unauthorizedCacheControlHeaderStrategy",
)


def _read(text: str) -> dict[str, str]:
    """`/a /b R` lines → {"/a": "replace", "/b": "replace"}."""
    words = {"A": "add", "R": "replace", "D": "remove", "C": "copy"}
    found = {}
    for line in text.strip().splitlines():
        *paths, ops = line.split()
        for path in paths:
            found[path] = " ".join(words[op] for op in ops)
    return found


AWS: dict[str, dict[str, str]] = {
    "UpdateAccount": _read("/cloudwatchRoleArn R\n/features AD"),
    "UpdateApiKey": _read("/name /description /enabled /customerId R\n/labels /stages AD"),
    "UpdateAuthorizer": _read(
        """/name /type /authType /authorizerUri /authorizerCredentials R
        /authorizerResultTtlInSeconds /identityValidationExpression R
        /identitySource ARD
        /providerARNs AD"""
    ),
    "UpdateBasePathMapping": _read("/basepath /restapiId /stage R"),
    "UpdateClientCertificate": _read("/description R"),
    "UpdateDeployment": _read("/description R"),
    "UpdateDocumentationVersion": _read("/description R"),
    "UpdateDocumentationPart": _read("/properties R"),
    "UpdateDomainName": _read(
        """/certificateArn /certificateName /regionalCertificateArn /regionalCertificateName ARD
        /endpointConfiguration/types AD
        /endpointConfiguration/ipAddressType /endpointAccessMode /securityPolicy R
        /mutualTlsAuthentication/truststoreUri /mutualTlsAuthentication/truststoreVersion ARD
        /ownershipVerificationCertificateArn ARD
        /routingMode /policy /managementPolicy R"""
    ),
    "UpdateGatewayResponse": _read(
        """/statusCode R
        /responseParameters /responseParameters/{name} /responseTemplates /responseTemplates/{type} ARD"""
    ),
    "UpdateIntegration": _read(
        """/cacheKeyParameters ARD
        /cacheNamespace /connectionId /connectionType /contentHandling /integrationTarget /passthroughBehavior R
        /responseTransferMode /timeoutInMillis /tlsConfig/insecureSkipVerification /httpMethod /uri R
        /requestParameters/{name} /requestTemplates/{type} ARD"""
    ),
    "UpdateIntegrationResponse": _read(
        """/contentHandling /selectionPattern R
        /responseParameters/{name} /responseTemplates/{type} ARD"""
    ),
    "UpdateMethod": _read(
        """/apiKeyRequired /authorizationType /authorizerId /operationName /requestValidatorId R
        /authorizationScopes AD
        /requestParameters/{name} /requestModels/{type} ARD"""
    ),
    "UpdateMethodResponse": _read("/responseModels/{type} /responseParameters/{name} ARD"),
    "UpdateModel": _read("/description /schema R"),
    "UpdateRequestValidator": _read("/name /validateRequestBody /validateRequestParameters R"),
    "UpdateResource": _read("/parentId /pathPart R"),
    "UpdateRestApi": _read(
        """/name /apiKeySource /disableExecuteApiEndpoint /policy /securityPolicy /endpointAccessMode R
        /description /binaryMediaTypes/{type} ARD
        /minimumCompressionSize R
        /endpointConfiguration/types/{type} R
        /endpointConfiguration/vpcEndpointIds AD
        /endpointConfiguration/ipAddressType R"""
    ),
    "UpdateStage": {
        **_read(
            """/deploymentId RC
            /description /documentationVersion /cacheClusterEnabled /cacheClusterSize /clientCertificateId R
            /tracingEnabled R
            /variables RDC
            /variables/{name} RD
            /accessLogSettings D
            /accessLogSettings/destinationArn /accessLogSettings/format AR
            /canarySettings D
            /canarySettings/deploymentId /canarySettings/percentTraffic /canarySettings/useStageCache R
            /canarySettings/stageVariableOverrides/{name} RD
            /{path}/{verb} D"""
        ),
        **{f"{where}/{name}": "replace" for where, name in product(["/{path}/{verb}"], _SETTINGS)},
    },
    "UpdateUsage": _read("/remaining R"),
    "UpdateUsagePlan": _read(
        """/name /description R
        /productCode ARD
        /apiStages AD
        /apiStages/{stage}/throttle ARD
        /apiStages/{stage}/throttle/{path}/{verb} D
        /apiStages/{stage}/throttle/{path}/{verb}/rateLimit /apiStages/{stage}/throttle/{path}/{verb}/burstLimit AR
        /quota /throttle D
        /quota/limit /quota/offset /quota/period /throttle/rateLimit /throttle/burstLimit AR"""
    ),
    "UpdateVpcLink": _read("/name /description R"),
}

BESIDES: dict[str, dict[str, str]] = {
    "UpdateBasePathMapping": {"/basePath": "replace"},
    "UpdateIntegration": {"/credentials": "replace", "/cacheKeyParameters/{name}": "add replace remove"},
    "UpdateStage": {
        "/variables/{name}": "add",
        "/accessLogSettings/{name}": "add replace remove",
        "/canarySettings/deploymentId": "add",
        "/canarySettings/percentTraffic": "add",
        "/canarySettings/useStageCache": "add",
        "/canarySettings/stageVariableOverrides/{name}": "add",
        "/{path}/{verb}": "add replace",
        **{f"/{{path}}/{{verb}}/{name}": "add" for name in _SETTINGS},
    },
    "UpdateVpcLink": {"/targetArns": "add replace remove"},
}
"""What clients send that AWS's table does not have (Terraform's provider, CloudFormation), and what has a message of its own."""
