"""Train networks: data, augmentation, pretrained encoders, the choice of threshold, the ensemble."""
