"""Views: what a user holds of what was recorded."""
