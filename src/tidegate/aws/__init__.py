"""AWS on the wire: service models as schema, the protocols they speak, and how a request names its service."""
