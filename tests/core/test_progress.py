"""Lines per epoch, and their absence where something else says how far the work is."""

import pytest

from components.core import progress


def test_silence_keeps_the_lines_back_but_not_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[int] = []
    with progress.listening(lambda step, metrics: heard.append(step)):
        with progress.silence():
            progress.report_epoch(1, {"loss": 1.0}, total=2)
        assert capsys.readouterr().err == ""
        progress.report_epoch(2, {"loss": 1.0}, total=2)
    assert "epoch 2/2" in capsys.readouterr().err
    assert heard == [1, 2]
