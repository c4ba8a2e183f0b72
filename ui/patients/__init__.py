"""The parts of the Patients page."""
