"""No secret is left in a text, whatever it is made of; and what is none stays as it is."""

import io
import sys
import traceback

import pytest

from components.core import masked_output
from components.core.secrets import without_secrets

PASSWORD = "C4nary!pw"


@pytest.mark.parametrize(
    "text",
    [
        f"at http://me:{PASSWORD}@host:5000/x: no",
        f"http://me@corp.org:{PASSWORD}@host:5000",
        f"http://me:a/{PASSWORD}@host",
        f"http://me:12/{PASSWORD}@host",
        f"http://me:a b {PASSWORD}@host/x",
        f"http://me:a@b c {PASSWORD}@host/x",
        f"http://me:a\n{PASSWORD}@host/x",
        f"http://me:a?{PASSWORD}#@[::1]:5000/x",
        f"http://{PASSWORD}@host",
        f"http://:{PASSWORD}@host",
        f"http://me:{PASSWORD}",  # cut off
        f"http://host:80/a and http://me:{PASSWORD}@host/b, http://host:81/c",
        f"postgresql+psycopg2://me:{PASSWORD}@host/db",
        f"https://host/x?a=1&token={PASSWORD}&b=2",
        f"https://host/x?sig={PASSWORD}",
        f"s3://bucket/x?X-Amz-Signature={PASSWORD}",
        f"https://host/#access_token={PASSWORD}",
        f"host=db user=me password={PASSWORD}",
        f"AccountName=a;AccountKey={PASSWORD}==;EndpointSuffix=b",
        f"'Authorization': 'Basic {PASSWORD}='",
        f"X-Api-Key: {PASSWORD}",
        f"Set-Cookie: {PASSWORD}",
        f"https://host/x?api-key={PASSWORD}",
        f"{{'access_token': '{PASSWORD}', 'page': 2}}",
    ],
)
def test_a_secret_of_an_address_is_masked_wherever_it_stands(text: str) -> None:
    masked = without_secrets(text)
    assert PASSWORD not in masked
    assert "***" in masked
    assert without_secrets(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "MLflow at http://127.0.0.1:5000: said no, ask me@corp.org",
        "http://127.0.0.1:5000/#/experiments/1/runs/2, http://[::1]:4200/api (Ctrl-C ends them)",
        "https://host/@me and 'http://host:80', \"s3://bucket_name/key\"",
        "sqlite:////a@b/mlflow.db, file:///a/b, models:/m-1, ray://head:10001 and git@github.com:a/b.git",
        "https://host/x?page=2&order=a",
        "pretrain.epochs 80 -> 40; batch_size=256",
        '{"tokenizers": "0.23.3", "tokenizer": "pieces"}',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("SOME_TOKEN", "C4nary/1 2", "C4nary/1 2"),
        ("some_password", "C4nary/1 2", "C4nary%2F1%202"),
        ("API_KEY", "C4nary/1 2", "C4nary%2F1+2"),
        ("AUTH_STRING", "me:C4nary\n4nd more", "4nd more"),
        ("PGPASSWORD", "C4nary\tpw", r"C4nary\tpw"),
        ("https_proxy", "http://me:C4nary%40pw@proxy:1", "C4nary@pw"),
        ("PIP_INDEX_URL", "https://C4naryToken@host/simple", "C4naryToken"),
        ("HTTP_PROXY", "me:C4nary/pw@proxy:1", "C4nary/pw"),
        ("MLFLOW_TRACKING_URI", "http:/me:C4nary/pw@host", "C4nary%2Fpw"),
    ],
    ids=range(9),  # pytest puts a test's name into the environment
)
def test_a_secret_of_the_environment_is_masked_in_every_spelling(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, shown: str
) -> None:
    assert without_secrets(f"it is {shown}!") == f"it is {shown}!"
    monkeypatch.setenv(name, value)
    assert without_secrets(f"it is {shown}!") == "it is ***!"


def test_other_variables_are_not_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in [
        ("GIT_AUTHOR_NAME", "Some One"),
        ("SSH_KEY_FILE", __file__),
        ("RAY_AUTH_MODE", "token"),
        ("MY_URL", "with:a"),
    ]:
        monkeypatch.setenv(name, value)
    text = f"Some One read {__file__} with a token"
    assert without_secrets(text) == text


def test_what_a_process_prints_is_masked_tracebacks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    masked_output.mask_output()
    masked_output.mask_output()
    print("see", f"http://me:{PASSWORD}@host/x", flush=True)
    sys.stderr.writelines([f"?token={PASSWORD}\n"])
    try:
        raise ValueError(f"http://me:{PASSWORD}@host/x")
    except ValueError:
        traceback.print_exc()
    assert out.getvalue() == "see http://***@host/x\n"
    assert err.getvalue().startswith("?token=***\nTraceback")
    assert PASSWORD not in err.getvalue()
