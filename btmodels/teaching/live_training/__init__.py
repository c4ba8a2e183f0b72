"""Small trainings that a visitor starts in a lesson."""
