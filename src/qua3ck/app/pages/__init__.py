"""One module per page of the view; each has ``show(visit)``."""
