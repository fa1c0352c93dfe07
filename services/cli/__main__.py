"""`python -m services.cli` is `clh`."""

from services.cli.main import app

app(prog_name="clh")
