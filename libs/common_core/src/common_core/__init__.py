"""The language of Scriptorium: events, enums, errors and the state machine. pydantic only, no I/O."""
