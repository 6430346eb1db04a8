"""The composition root: the only place that names concrete classes. `node` puts one server together."""

from tidegate.app.node import App

__all__ = ["App"]
