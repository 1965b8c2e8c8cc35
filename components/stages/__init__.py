"""The stages of the pipeline: one file each, paths in, paths out."""
