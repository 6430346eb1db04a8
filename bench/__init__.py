"""Tidegate measured beside other gateways: the same upstream, the same answers, rounds in turn. Run with `make bench`.

What the words mean here: a *contestant* is a gateway in one configuration; a *round* is some seconds of load on one
contestant; the *ground* is what all contestants share (the upstream and the cores). Each contestant is measured once per
turn, A B C … A B C …, so that a slow minute of the machine falls on everybody, and medians are compared.
"""
