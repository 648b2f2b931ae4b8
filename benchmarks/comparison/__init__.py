"""Scriptorium's runtime and other libraries through the same trials, on the same Kafka and PostgreSQL."""
