"""Regenerate all generated files in ``assets/``. ``python -m train --help`` lists the commands."""
