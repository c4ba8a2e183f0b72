"""Experiments behind the lessons and the Scoreboard: folds, losses, skips, leak, transfer, robustness."""
