"""Student matching: who wrote each essay, found in its text and compared with the class."""
