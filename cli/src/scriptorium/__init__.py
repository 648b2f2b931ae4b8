"""The `scriptorium` command: runs the whole system on this machine, and does a teacher's main job against a running one."""
