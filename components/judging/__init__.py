"""What results are worth: metrics, calibration, guards, probes, checks of pictures and labels. Trains nothing."""
