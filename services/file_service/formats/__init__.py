"""The kinds of file we can read: one module each, bytes in, text out. Nothing here knows the rest of the service."""
