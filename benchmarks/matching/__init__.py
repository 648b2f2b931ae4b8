"""How well authors are found: invented classes and essays, the real extraction and the real matcher."""
