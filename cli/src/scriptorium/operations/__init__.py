"""An operator's commands: what they ask of the services and of Kafka, and what they print."""
