"""`onething demo` tells the story of one case to its end."""

from click.testing import CliRunner

from api.cli import main


def test_demo__from_intake_to_certificate(tmp_path):
    result = CliRunner(env={"COLUMNS": "120", "ONETHING_DATA_DIR": str(tmp_path)}).invoke(main, ["demo"])

    assert result.exit_code == 0, result.output
    for seen in ("一窗受理 (window)", "yellow", "食品经营许可证 43010020260302", "all_granted"):
        assert seen in result.output
    assert list(tmp_path.iterdir()) == []  # nothing of it is kept
