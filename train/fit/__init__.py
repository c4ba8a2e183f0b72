"""Train networks: data, augmentation, pretrained encoders, choice of settings, the ensemble."""
