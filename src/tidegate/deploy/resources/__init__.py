"""One small provider per resource type, and the registry of them."""
