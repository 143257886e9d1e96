"""What an auditor asks: what stood in an account at an instant, and what an undo would return."""
