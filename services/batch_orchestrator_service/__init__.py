"""The batch orchestrator: what becomes of a batch as a whole."""
