"""What a campaign did in a time: its redemptions, its codes, its money."""
