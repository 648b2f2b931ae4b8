"""The `scriptorium` command: runs the whole system here, and does a teacher's main job against a running one."""
