"""Settings, plug-ins, stage runner, tracking, seeds and atomic files: what everything else stands on."""
