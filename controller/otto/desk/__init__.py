"""What people ask of OttO: every question of the command line and of the API that stands behind it, once.

A `Question` is a value that knows how to answer itself in a `House`: over a home on this machine, or inside
a running controller. So `otto why hello` is one and the same code whether it looks into a store beside it or
asks another machine's API, which puts the question to its own house.

    question ──▶ otto.cli.house.HomeHouse            this machine: store and control socket
             ──▶ otto.cli.remote ──HTTP──▶ otto.api  another one: its controller's ports
"""
