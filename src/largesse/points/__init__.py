"""Points of loyalty cards: what gives them, takes them, returns them and lets them expire."""
