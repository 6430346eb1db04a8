"""Operations of the model that Tidegate refuses, each with its reason. Every other operation of the model is implemented."""

from __future__ import annotations

_SDK = "AWS generates client SDKs with tools of its own; export the API (GetExport) and use a generator for OpenAPI"

UNSUPPORTED: dict[str, str] = {"GetSdk": _SDK, "GetSdkType": _SDK, "GetSdkTypes": _SDK}
