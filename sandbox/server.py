"""The server process: two faces for customers on TLS, the desk on plain loopback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
from pathlib import Path

from aiohttp import web

from . import (
    admin_api,
    admin_irregular,
    admin_kinds,
    admin_pages,
    admin_soap,
    clock,
    intake,
    kind_files,
    kind_payments,
    kind_reports,
    oauth,
    rest_accounts,
    rest_payments,
    soap_service,
)
from .bank import Bank
from .engine import Engine
from .faults import Facts, FaultPlan
from .kind_gate import gate
from .mailbox import Mailbox
from .pki import write_private
from .rest_base import FACE, Face, envelope
from .webhook_caller import Caller

LOOPBACK = "127.0.0.1"
PARENT_POLL_SECONDS = 1.0


def tls(bank: Bank, plan: FaultPlan, client: ssl.VerifyMode = ssl.CERT_REQUIRED
        ) -> ssl.SSLContext:
    """TLS 1.2 or later; a client certificate is of the bank's own authority.

    :param client: whether the client must have one, or may.
    """
    context = _context(bank, bank.authority.server, client)
    expired = _context(bank, bank.authority.expired, client)

    def greet(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> int | None:
        for rule in plan.consult("handshake", Facts()):
            if rule["action"] == "refuse":
                return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
            connection.context = expired
        return None

    context.sni_callback = greet
    return context


def _context(bank: Bank, certificate: Path, client: ssl.VerifyMode) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, bank.authority.server_key)
    context.load_verify_locations(bank.authority.ca)
    context.verify_mode = client
    return context


def customer_app(face: Face) -> web.Application:
    """The REST face, of every kind of channel."""
    app = web.Application(middlewares=[envelope, gate], client_max_size=intake.MAX_BYTES)
    app[FACE] = face
    app[rest_payments.IN_FLIGHT] = set()
    app.add_routes(rest_payments.routes)
    app.add_routes(rest_accounts.routes)
    for routes in (oauth.routes, kind_payments.routes, kind_files.routes, kind_reports.routes):
        app.add_routes(routes)
    return app


def soap_app(face: Face) -> web.Application:
    """The SOAP face: Bank Web Services."""
    app = web.Application(client_max_size=soap_service.MAX_BYTES)
    app[FACE] = face
    app.add_routes(soap_service.routes)
    return app


def admin_app(face: Face) -> web.Application:
    """The desk."""
    app = web.Application(middlewares=[admin_pages.guard])
    app[FACE] = face
    app.add_routes(admin_api.routes)
    app.add_routes(admin_soap.routes)
    app.add_routes(admin_kinds.routes)
    app.add_routes(admin_irregular.routes)
    app.add_routes(admin_pages.routes)
    return app


async def _run(bank: Bank, port: int, soap_port: int, admin_port: int,
               parent: int | None, folders: Path | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    engine = Engine(bank.store)
    plan = FaultPlan(bank.store)
    face = Face(bank, engine, plan)
    await face.call(engine.open)
    runners, ports = [], []
    for app, wanted, context in (
            (customer_app(face), port, tls(bank, plan)),
            (soap_app(face), soap_port, tls(bank, plan, ssl.CERT_OPTIONAL)),
            (admin_app(face), admin_port, None)):
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, wanted, ssl_context=context,
                          shutdown_timeout=5).start()
        runners.append(runner)
        ports.append(runner.addresses[0][1])
    engine.start()
    mailbox = Mailbox(bank, engine, folders) if folders else None
    if mailbox:
        mailbox.start()
    facts = {"port": ports[0], "soap_port": ports[1], "admin_port": ports[2],
             "pid": os.getpid()}
    write_private(bank.folder / "ports.json", json.dumps(facts).encode())
    print(f"ready {json.dumps(facts)}", flush=True)
    tasks = [asyncio.create_task(_watch(parent, stop)), asyncio.create_task(Caller(face).run())]
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for runner in runners:
        await runner.cleanup()
    if mailbox:
        await loop.run_in_executor(None, mailbox.stop)
    await loop.run_in_executor(None, engine.stop)
    face.close()


async def _watch(parent: int | None, stop: asyncio.Event) -> None:
    """Stop when the process that wanted this bank is gone."""
    while parent is not None:
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            stop.set()
        await asyncio.sleep(PARENT_POLL_SECONDS)


def serve(bank: Bank, port: int = 0, admin_port: int = 0, clock_spec: str | None = None,
          parent: int | None = None, soap_port: int = 0, mailbox: Path | None = None) -> None:
    """Serve until SIGTERM, SIGINT or the death of ``parent``.

    :param port: 0 for a free one, as for the other ports; what was chosen is printed and
        written to ports.json.
    :param clock_spec: ``real`` or a moment; None leaves the clock as it was.
    :param mailbox: where the contracts' folders are, see mailbox.py; None for none.
    :raises ValueError: no bank in the folder, or a wrong moment.
    """
    bank.require()
    if clock_spec:
        with bank.store.write() as connection:
            clock.start(connection, clock_spec)
    asyncio.run(_run(bank, port, soap_port, admin_port, parent, mailbox))
