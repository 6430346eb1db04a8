"""Amazon Cognito user pools: the management API, the users' own API, and the hosted endpoints."""
