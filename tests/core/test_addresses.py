"""User and password leave the addresses; the libraries find them where they look for them."""

import pytest

from components.core.addresses import part_with_users
from components.core.errors import WinnowError


@pytest.mark.parametrize(
    ("name", "address", "left", "apart"),
    [
        (
            "MLFLOW_TRACKING_URI",
            "http://me@corp:a/b c%40@host:5000/x",
            "http://host:5000/x",
            {"MLFLOW_TRACKING_USERNAME": "me@corp", "MLFLOW_TRACKING_PASSWORD": "a/b c@"},
        ),
        (
            "MLFLOW_S3_ENDPOINT_URL",
            "https://key:secret@[::1]:9000",
            "https://[::1]:9000",
            {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"},
        ),
        ("PREFECT_API_URL", "http://me:pw@host/api", "http://host/api", {"PREFECT_API_AUTH_STRING": "me:pw"}),
        (
            "PREFECT_API_DATABASE_CONNECTION_URL",
            "postgresql+asyncpg://me:pw@host/db",
            "postgresql+asyncpg://host/db",
            {"PGUSER": "me", "PGPASSWORD": "pw"},
        ),
        ("MLFLOW_TRACKING_URI", "mysql://me:pw@host/db", "mysql://me:pw@host/db", {}),
        ("http_proxy", "http://me:pw@proxy:1", "http://me:pw@proxy:1", {}),
        ("MLFLOW_TRACKING_URI", "sqlite:////a@b/mlflow.db", "sqlite:////a@b/mlflow.db", {}),
    ],
)
def test_an_address_goes_on_without_its_user(name: str, address: str, left: str, apart: dict[str, str]) -> None:
    environment = {name: address}
    part_with_users(environment)
    assert environment == {name: left, **apart}


def test_one_user_of_two_addresses_is_enough_and_two_are_refused() -> None:
    environment = {"MLFLOW_TRACKING_URI": "http://me:pw@a", "MLFLOW_REGISTRY_URI": "http://me:pw@b"}
    part_with_users(environment)
    assert environment["MLFLOW_REGISTRY_URI"] == "http://b"
    with pytest.raises(WinnowError, match="MLFLOW_REGISTRY_URI names another user"):
        part_with_users({"MLFLOW_TRACKING_URI": "http://me:pw@a", "MLFLOW_REGISTRY_URI": "http://you:pw@b"})


def test_a_user_without_a_password_is_refused_where_mlflow_would_leave_it_out() -> None:
    with pytest.raises(WinnowError, match="MLFLOW_TRACKING_TOKEN"):
        part_with_users({"MLFLOW_TRACKING_URI": "http://token@a"})


@pytest.mark.parametrize(
    "address", ["me:pw@host:5000", "http:/me:pw@host", "http:me:pw/@host", "//me:pw@host", ":pw@host", "me@x:pw@host"]
)
def test_an_address_with_a_user_and_without_its_scheme_is_refused_unseen(address: str) -> None:
    for name in ("MLFLOW_TRACKING_URI", "PREFECT_API_URL"):
        with pytest.raises(WinnowError, match=f"^{name} has a user") as refusal:
            part_with_users({name: address})
        assert "pw" not in str(refusal.value)
