"""The experiments behind lessons and Scoreboard: folds, losses, skips, leak, transfer, robustness."""
