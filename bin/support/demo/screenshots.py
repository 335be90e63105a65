"""The documentation's pictures, taken from the running demo with headless Chromium.

Speaks the Chrome DevTools Protocol (version 1.3) through websocket-client, as Odoo's own browser
tests do.
"""

from __future__ import annotations

import base64
import itertools
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import requests
import websocket

from ..processes import Supervisor
from ..settings import Settings
from .api import Person
from .encore import Encore
from .progress import DemoError, wait_for
from .stage import Scene
from .verdict import Verdict

WIDTH, HEIGHT = 1280, 800
PATIENCE = 120  # seconds for a page: Odoo builds its assets when it is first asked


class Browser:
    """One page of a headless Chromium."""

    def __init__(self, settings: Settings, supervisor: Supervisor, home: Path):
        self._child = supervisor.start(
            "Chromium",
            [
                settings.chromium, "--headless=new", "--no-sandbox", "--disable-gpu",
                "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0",
                f"--window-size={WIDTH},{HEIGHT}", f"--user-data-dir={home}", "about:blank",
            ],
            log=settings.logs / "demo-chromium.log",
            env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        )
        # Chromium writes its port there when it listens.
        found = home / "DevToolsActivePort"
        self._child.wait_until(lambda: found.exists() and found.read_text().strip(), within=60)
        port = int(found.read_text().split()[0])
        session = requests.Session()
        session.trust_env = False  # loopback: no proxy
        pages = session.get(f"http://127.0.0.1:{port}/json/list", timeout=30).json()
        address = next(page for page in pages if page["type"] == "page")["webSocketDebuggerUrl"]
        self._socket = websocket.create_connection(
            address, suppress_origin=True, timeout=PATIENCE, http_no_proxy=["127.0.0.1"]
        )
        self._numbers = itertools.count(1)
        self.command("Page.enable")
        self.command("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT,
                     deviceScaleFactor=1, mobile=False)

    def command(self, method: str, **parameters: Any) -> dict:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                if "error" in answer:
                    raise DemoError(f"Chromium refused {method}: {answer['error']['message']}")
                return answer["result"]

    def log_in(self, scene: Scene, person: Person) -> None:
        """Become that user in Odoo, with his password."""
        session = requests.Session()
        session.trust_env = False
        answer = session.post(
            f"{scene.url}/web/session/authenticate",
            json={
                "params": {
                    "db": scene.database, "login": person.login, "password": person.password
                }
            },
            timeout=60,
        ).json()
        if "error" in answer:
            raise DemoError(f"{person.login} could not log in: {answer['error']['message']}")
        self.command("Network.setCookie", name="session_id",
                     value=session.cookies["session_id"], url=scene.url, httpOnly=True)

    def open(self, url: str, until: str) -> None:
        """Go to a page and wait for an element that the selector ``until`` finds."""
        self.command("Page.navigate", url=url)
        self.wait(until)

    def wait(self, selector: str) -> None:
        self._child.check()
        wait_for(
            lambda: self.run(f"!!document.querySelector({json.dumps(selector)})"),
            PATIENCE, lambda: f"The page shows no {selector}: {self.run('location.href')}",
        )

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        result = self.command("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in result:
            raise DemoError(f"A script failed in the page: {result['exceptionDetails']}")
        return result["result"].get("value")

    def picture(self, path: Path, height: int = HEIGHT) -> None:
        # Fonts and avatars come after the elements; nothing tells when all of them are there.
        time.sleep(2)
        shot = self.command(
            "Page.captureScreenshot", format="png", optimizeForSpeed=False,
            clip={"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1},
        )
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        self._socket.close()
        self._child.stop()


def take(
    settings: Settings, supervisor: Supervisor, scene: Scene, verdict: Verdict, encore: Encore,
    folder: Path,
) -> list[Path]:
    """Take every picture into ``folder``; the files.

    :raises DemoError: a page did not come up
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bank-connect-") as home:
        browser = Browser(settings, supervisor, Path(home))
        try:
            _take(browser, scene, verdict, encore, folder)
        finally:
            browser.close()
    return sorted(folder.glob("*.png"))


def _take(
    browser: Browser, scene: Scene, verdict: Verdict, encore: Encore, folder: Path
) -> None:
    accountant, manager = scene.people["accountant"], scene.people["manager"]
    form = ".o_form_view .o_form_sheet"

    browser.log_in(scene, accountant)
    for picture, fate in (("bill-at-the-bank", "pending"), ("bill-rejected", "rejected")):
        bill = verdict.bill_of(fate)
        browser.open(f"{scene.url}/odoo/account.move/{bill}", form)
        browser.wait(".o_field_widget[name=bank_status_text]")
        browser.picture(folder / f"{picture}.png")

    browser.open(f"{scene.url}/odoo/action-account.action_move_in_invoice_type", ".o_data_row")
    # One of them is on its way already: the picture shows a problem in words, too.
    chosen = [*encore.open_bills, encore.sent_bills[0]]
    wizard = accountant.call("account.move", "action_send_to_bank", chosen)
    # As the list's action menu opens it.
    action = json.dumps(wizard | {"views": [[False, "form"]]})
    browser.run(f"void odoo.__WOWL_DEBUG__.root.env.services.action.doAction({action})")
    browser.wait(".modal .o_form_view .o_data_row")
    browser.picture(folder / "send-to-bank.png")

    browser.log_in(scene, manager)
    browser.open(f"{scene.url}/odoo/bank.payment.batch/{encore.batch}", form)
    browser.wait("button[name=action_approve]")
    browser.picture(folder / "batch-to-approve.png")

    treasurer = scene.people["treasurer"]
    browser.log_in(scene, treasurer)
    browser.open(f"{scene.url}/odoo/action-account_bank_connect.action_day", ".o_kanban_record")
    browser.picture(folder / "today.png", height=424)
    browser.open(f"{scene.url}/odoo/bank.discrepancy/{encore.alarm}", f"{form} .o_bank_figures")
    browser.picture(folder / "discrepancy.png")

    browser.open(f"{scene.desk.url}/", "table")
    browser.picture(folder / "sandbox-bank.png")
