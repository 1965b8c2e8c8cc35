"""Manifest, sample store, sources, quarantine, oracle, ledger, duplicates and what data must satisfy."""
