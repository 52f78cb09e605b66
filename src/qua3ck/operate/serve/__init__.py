"""Online serving: a supervisor, its workers, and what decides which version answers whom."""
