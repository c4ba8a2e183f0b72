"""Run the trained networks: predictors, the worker process and its queue, Grad-CAM, uncertainty."""
