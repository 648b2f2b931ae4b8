"""Measurements on the local stack: figures, not tests. Each checks its data first, and prints none if that fails."""
