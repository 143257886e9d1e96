"""Pure decisions: no I/O, no clock, no randomness. Amounts and credits in minor units, times in microseconds UTC."""
