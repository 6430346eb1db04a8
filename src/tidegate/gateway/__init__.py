"""What happens to a request. `rest.py` holds the whole life of a REST request on one screen; the steps stand beside it."""
