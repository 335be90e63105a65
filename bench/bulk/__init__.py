"""How long many payments take, out and back, beside the least that the database would need."""
