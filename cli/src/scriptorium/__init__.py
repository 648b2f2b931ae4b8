"""The `scriptorium` command: the whole system on this machine, a teacher's main job, and an operator's tools."""
