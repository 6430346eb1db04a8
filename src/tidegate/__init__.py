"""Tidegate: Amazon API Gateway, anywhere."""

__version__ = "0.1.0"
