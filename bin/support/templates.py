"""Databases with Odoo and the modules this one depends on, kept as templates to copy from."""

from __future__ import annotations

import ast
import hashlib
import os
import shutil

from .cluster import Cluster
from .odoo import Odoo
from .processes import ProcessError
from .settings import MODULE, Settings


def manifest(settings: Settings) -> dict:
    return ast.literal_eval((settings.addons / MODULE / "__manifest__.py").read_text())


class Templates:
    """Makes databases by copying templates, which are built when first asked for."""

    def __init__(self, settings: Settings, cluster: Cluster, odoo: Odoo):
        self._settings = settings
        self._cluster = cluster
        self._odoo = odoo

    def built(self, *, demo: bool) -> bool:
        """Whether the template is there already, so that a copy takes a second only."""
        return self._cluster.exists(self._name(demo))

    def copy_to(self, database: str, *, demo: bool) -> None:
        """Make ``database``, with or without demo data, in place of one of that name."""
        template = self._template(demo)
        self._remove(database)
        self._cluster.create(database, template)
        # Attachments are files named by their content; Odoo never changes one.
        source = self._odoo.filestore(template)
        if source.exists():
            shutil.copytree(source, self._odoo.filestore(database), copy_function=os.link)

    def _template(self, demo: bool) -> str:
        """The name of the template; builds it unless it is there."""
        name = self._name(demo)
        kind = "demo" if demo else "plain"
        if self._cluster.exists(name):
            return name
        for old in self._cluster.databases(f"template-{kind}-"):
            self._remove(old)
        # Only a database that was built to its end gets the template's name.
        building = f"building-{kind}"
        self._remove(building)
        self._cluster.create(building)
        log = self._settings.logs / f"{self._odoo.name}-template-{kind}.log"
        code = self._odoo.run(
            log,
            f"--database={building}",
            f"--init={','.join(self._depends)}",
            "--with-demo" if demo else "--without-demo",
            "--stop-after-init",
            "--no-http",
        )
        # Odoo alone, without this module, is not judged beyond its exit code.
        if code != 0:
            raise ProcessError(f"Odoo could not make a database (exit code {code}): see {log}")
        self._cluster.rename(building, name)
        built = self._odoo.filestore(building)
        if built.exists():
            built.rename(self._odoo.filestore(name))
        return name

    @property
    def _depends(self) -> list[str]:
        return sorted(manifest(self._settings)["depends"])

    def _name(self, demo: bool) -> str:
        key = "\n".join([self._settings.odoo_version, *self._depends])
        digest = hashlib.sha256(key.encode()).hexdigest()[:8]
        return f"template-{'demo' if demo else 'plain'}-{digest}"

    def _remove(self, database: str) -> None:
        self._cluster.drop(database)
        shutil.rmtree(self._odoo.filestore(database), ignore_errors=True)
