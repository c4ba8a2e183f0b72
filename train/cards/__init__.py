"""Write a model card for every trained network."""
