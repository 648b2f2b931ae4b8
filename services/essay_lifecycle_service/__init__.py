"""The essay lifecycle: which content got which slot of its batch, and when that is complete."""
