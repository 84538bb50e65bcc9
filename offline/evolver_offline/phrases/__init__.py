"""What the embedded model can add to an instruction: one module per sort of instruction, data only."""
