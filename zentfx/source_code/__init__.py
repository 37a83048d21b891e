"""The user's source code: its texts, and what of it a step's results depend on."""
