"""Regenerates everything generated in ``assets/``. ``python -m train --help`` lists the commands."""
