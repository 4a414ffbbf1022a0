"""The command line over a controller on another machine: its questions, put to that one's HTTP API."""
