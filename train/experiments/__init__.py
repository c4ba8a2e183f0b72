"""The experiments behind lessons and Scoreboard: folds, losses, skips, stacks, leak, transfer, faults."""
