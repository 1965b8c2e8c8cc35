# The MLflow server alone: no torch, no root.
FROM python:3.12-slim
RUN pip install --no-cache-dir "mlflow>=3.17,<4" "psycopg2-binary>=2.9,<3" \
    && useradd --create-home mlflow \
    && install --directory --owner mlflow /artifacts
USER mlflow
EXPOSE 5000
CMD ["mlflow", "server", "--host", "0.0.0.0", "--port", "5000", "--workers", "2", "--artifacts-destination", "/artifacts", "--serve-artifacts"]
