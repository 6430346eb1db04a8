"""Finding what a request names, or AWS's 404 for it. Ids are case-sensitive."""

from __future__ import annotations

from tidegate.control.context import Context
from tidegate.core.errors import ControlError
from tidegate.definition.records import (
    ApiKey,
    Authorizer,
    BasePathMapping,
    ClientCertificate,
    Deployment,
    DocumentationPart,
    DocumentationVersion,
    DomainName,
    DomainNameAccessAssociation,
    Integration,
    Method,
    Model,
    RequestValidator,
    Resource,
    RestApi,
    Stage,
    UsagePlan,
    VpcLink,
)


def not_found(message: str) -> ControlError:
    return ControlError("NotFoundException", message, 404)


def get_api(context: Context, api_id: str) -> RestApi:
    api = context.tx.get(RestApi, api_id)
    if api is None:
        raise not_found(f"Invalid API identifier specified {context.scope.account}:{api_id}")
    return api


def get_resource(context: Context, api_id: str, resource_id: str) -> Resource:
    resource = context.tx.get(Resource, api_id, resource_id)
    if resource is None:
        raise not_found("Invalid Resource identifier specified")
    return resource


def get_method(context: Context, api_id: str, resource_id: str, verb: str) -> Method:
    get_resource(context, api_id, resource_id)
    method = context.tx.get(Method, api_id, resource_id, verb)
    if method is None:
        raise not_found("Invalid Method identifier specified")
    return method


def get_integration(method: Method) -> Integration:
    if method.method_integration is None:
        raise not_found("Invalid Integration identifier specified")
    return method.method_integration


def get_deployment(context: Context, api_id: str, deployment_id: str) -> Deployment:
    get_api(context, api_id)
    deployment = context.tx.get(Deployment, api_id, deployment_id)
    if deployment is None:
        raise not_found("Invalid Deployment identifier specified")
    return deployment


def get_stage(context: Context, api_id: str, stage_name: str) -> Stage:
    get_api(context, api_id)
    stage = context.tx.get(Stage, api_id, stage_name)
    if stage is None:
        raise not_found("Invalid stage identifier specified")
    return stage


def get_model(context: Context, api_id: str, name: str) -> Model:
    get_api(context, api_id)
    model = context.tx.get(Model, api_id, name)
    if model is None:
        raise not_found(f"Invalid model name specified: {name}")
    return model


def get_validator(context: Context, api_id: str, validator_id: str) -> RequestValidator:
    validator = context.tx.get(RequestValidator, api_id, validator_id)
    if validator is None:
        raise not_found("Invalid Request Validator identifier specified")
    return validator


def get_authorizer(context: Context, api_id: str, authorizer_id: str) -> Authorizer:
    get_api(context, api_id)
    authorizer = context.tx.get(Authorizer, api_id, authorizer_id)
    if authorizer is None:
        raise not_found("Invalid Authorizer identifier specified")
    return authorizer


def get_documentation_part(context: Context, api_id: str, part_id: str) -> DocumentationPart:
    get_api(context, api_id)
    part = context.tx.get(DocumentationPart, api_id, part_id)
    if part is None:
        raise not_found("Invalid Documentation part identifier specified")
    return part


def get_documentation_version(context: Context, api_id: str, version: str) -> DocumentationVersion:
    get_api(context, api_id)
    found = context.tx.get(DocumentationVersion, api_id, version)
    if found is None:
        raise not_found("Invalid Documentation version identifier specified")
    return found


def get_key(context: Context, key_id: str) -> ApiKey:
    key = context.tx.get(ApiKey, key_id)
    if key is None:
        raise not_found("Invalid API Key identifier specified")
    return key


def get_plan(context: Context, plan_id: str) -> UsagePlan:
    plan = context.tx.get(UsagePlan, plan_id)
    if plan is None:
        raise not_found("Invalid Usage Plan ID specified")
    return plan


def get_link(context: Context, link_id: str) -> VpcLink:
    link = context.tx.get(VpcLink, link_id)
    if link is None:
        raise not_found("Invalid Vpc Link identifier specified")
    return link


def get_certificate(context: Context, certificate_id: str) -> ClientCertificate:
    certificate = context.tx.get(ClientCertificate, certificate_id)
    if certificate is None:
        raise not_found("Invalid Client Certificate identifier specified")
    return certificate


def get_domain(context: Context, name: str, domain_id: str | None) -> DomainName:
    """`domain_id`: of a private domain. AWS: without it the public domain of that name is meant."""
    domain = context.tx.get(DomainName, name, domain_id or "")
    if domain is None:
        raise not_found("Invalid domain name identifier specified")
    return domain


def get_mapping(context: Context, domain: DomainName, base_path: str) -> BasePathMapping:
    mapping = context.tx.get(BasePathMapping, domain.domain_name, domain.domain_name_id, base_path)
    if mapping is None:
        raise not_found("Invalid base path mapping identifier specified")
    return mapping


def get_association(context: Context, arn: str) -> DomainNameAccessAssociation:
    association = context.tx.get(DomainNameAccessAssociation, arn)
    if association is None:
        raise not_found("Invalid domain name access association identifier specified")
    return association


def methods_with_paths(context: Context, api_id: str) -> list[tuple[str, Method]]:
    """An API's methods, each with its resource's path, in the order of paths and verbs."""
    paths = {resource.id: resource.path for resource in context.tx.list(Resource, api_id)}
    found = [(paths[method.resource_id], method) for method in context.tx.list(Method, api_id)]
    return sorted(found, key=lambda pair: (pair[0], pair[1].http_method))
