"""What `bench.vtl` measures: programs that render one template for one request, and the sample that all are given.

`passthrough.vm` is the console's template *Method Request passthrough*, `request.json` a request with everything that it
mentions, `expected.json` what has to come out. Each program is run with the paths of the first two; see `loop.py` for how it
is asked. What it has to do for a request is the same everywhere: make `$input`, `$context` and `$stageVariables` out of a
request of which the lines are read and nothing is decoded, and render.
"""
