"""Where in a project lies what people are asked about, and what they answer."""

from pathlib import Path

LEDGER, SYNTHETIC = Path("data/labels/ledger.csv"), Path("data/labels/synthetic")
MANIFEST, ORACLE = Path("data/ingest/manifest.parquet"), Path("data/ingest/oracle.parquet")
SAMPLES = Path("data/ingest/samples.npy")
VECTORS = Path("data/embed/embeddings.npy")
QUERIES = Path("data/select/queries.csv")
