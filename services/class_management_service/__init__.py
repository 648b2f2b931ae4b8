"""Class management: who is in a class, and who wrote which essay."""
