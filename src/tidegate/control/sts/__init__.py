"""AWS Security Token Service: who a caller is, and temporary credentials of roles and users.

Source: AWS Security Token Service API Reference. Federation (SAML, web identities) and MFA are refused by name.
"""
