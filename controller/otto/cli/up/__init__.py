"""`otto up`: the controller, its API and what a person sees of them, in one process."""
