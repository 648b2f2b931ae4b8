"""How fast the real services are, against what people would use instead, in the same run."""
