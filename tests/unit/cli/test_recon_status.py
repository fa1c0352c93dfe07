"""`clh recon status` says over which days it looked before it says that no file is late."""

from services.cli.recon import none_late


def test_status_says_over_which_days_it_looked() -> None:
    assert none_late(31, 31) == "All 31 files of the closed windows of the last 31 days (--days) have come."
    assert none_late(0, 31) == "No file was due: no bank owes one of the closed windows of the last 31 days (--days)."
