"""File service: uploaded files become contents, or failures that say why."""
