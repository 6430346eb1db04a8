"""The AWS management APIs, one package per service; `service.py` runs their operations, `admin.py` is Tidegate's own."""
