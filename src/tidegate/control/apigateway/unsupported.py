"""Operations of the model that Tidegate does not do yet. Each answers with an error that names it; the list only shrinks."""

from __future__ import annotations

_NOT_YET = "it comes with a later release"

UNSUPPORTED: dict[str, str] = dict.fromkeys(
    """
    CreateApiKey CreateAuthorizer CreateBasePathMapping CreateDocumentationPart CreateDocumentationVersion
    CreateDomainName CreateDomainNameAccessAssociation CreateModel CreateRequestValidator CreateUsagePlan
    CreateUsagePlanKey CreateVpcLink DeleteApiKey DeleteAuthorizer DeleteBasePathMapping DeleteClientCertificate
    DeleteDocumentationPart DeleteDocumentationVersion DeleteDomainName DeleteDomainNameAccessAssociation
    DeleteGatewayResponse DeleteModel DeleteRequestValidator DeleteUsagePlan DeleteUsagePlanKey DeleteVpcLink
    FlushStageAuthorizersCache FlushStageCache GenerateClientCertificate GetAccount GetApiKey GetApiKeys GetAuthorizer
    GetAuthorizers GetBasePathMapping GetBasePathMappings GetClientCertificate GetClientCertificates
    GetDocumentationPart GetDocumentationParts GetDocumentationVersion GetDocumentationVersions GetDomainName
    GetDomainNameAccessAssociations GetDomainNames GetExport GetGatewayResponse GetGatewayResponses GetModel
    GetModelTemplate GetModels GetRequestValidator GetRequestValidators GetSdk GetSdkType GetSdkTypes GetUsage
    GetUsagePlan GetUsagePlanKey GetUsagePlanKeys GetUsagePlans GetVpcLink GetVpcLinks ImportApiKeys
    ImportDocumentationParts PutGatewayResponse RejectDomainNameAccessAssociation TestInvokeAuthorizer
    TestInvokeMethod UpdateAccount UpdateApiKey UpdateAuthorizer UpdateBasePathMapping UpdateClientCertificate
    UpdateDocumentationPart UpdateDocumentationVersion UpdateDomainName UpdateGatewayResponse UpdateModel
    UpdateRequestValidator UpdateUsage UpdateUsagePlan UpdateVpcLink
    """.split(),
    _NOT_YET,
)
