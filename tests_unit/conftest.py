"""Fixtures that several rooms' tests share; pytest takes plugins only here, at the top."""

pytest_plugins = ["tests_unit.connectors.sftp_fixtures", "tests_unit.connectors.soap_fixtures"]
