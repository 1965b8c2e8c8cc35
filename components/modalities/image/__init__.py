"""Pictures: decoding, augmentation, preview."""
