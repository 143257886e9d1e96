"""What the room answers: which member is shown where, present and absent as observed."""
