import contextlib
import threading
import time
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.tests import TransactionCase, tagged
from psycopg2.errors import LockNotAvailable

from ..models import bank_audit_event

KIND = "settings_changed"


@tagged("post_install", "-at_install")
class TestAuditLink(TransactionCase):
    """One chain, whatever the number of workers, and whenever one of them dies.

    Everything here is committed, with cursors of its own, and removed again at the end: the test's
    own transaction must not touch the table, or nobody could switch its trigger off.
    """

    def setUp(self):
        super().setUp()
        with self.worker() as trail:
            trail._link_pending()
            trail.env.cr.execute("SELECT COALESCE(max(id), 0) FROM bank_audit_event")
            self.start = trail.env.cr.fetchone()[0]
        self.addCleanup(self.forget)

    def forget(self):
        with self.registry.cursor() as cr:
            cr.execute("ALTER TABLE bank_audit_event DISABLE TRIGGER USER")
            cr.execute("DELETE FROM bank_audit_event WHERE id > %s", (self.start,))
            cr.execute("ALTER TABLE bank_audit_event ENABLE TRIGGER USER")

    @contextlib.contextmanager
    def worker(self):
        """The audit trail as another worker sees it; committed at the end of the block."""
        with self.registry.cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})["bank.audit.event"]

    def record(self, count=1, die=False):
        """Record in one committed transaction; the worker may die right after its commit."""
        dying = patch.object(bank_audit_event, "_link_now", lambda _registry: 0)
        with dying if die else contextlib.nullcontext(), self.worker() as trail:
            for number in range(count):
                trail._record(KIND, number=number)

    def positions(self):
        with self.worker() as trail:
            trail.env.cr.execute(
                "SELECT position FROM bank_audit_event WHERE id > %s ORDER BY id", (self.start,)
            )
            return [row[0] for row in trail.env.cr.fetchall()]

    def assert_whole(self, count):
        """All are linked, one after another, and the chain holds."""
        places = self.positions()
        self.assertNotIn(None, places)
        self.assertEqual(sorted(places), list(range(min(places), min(places) + count)))
        with self.worker() as trail:
            self.assertIsNone(trail._examine().fault)

    def test_linked_after_the_commit(self):
        self.record(3)
        self.assert_whole(3)

    def test_nothing_is_linked_of_what_was_rolled_back(self):
        with self.registry.cursor() as cr:
            api.Environment(cr, SUPERUSER_ID, {})["bank.audit.event"]._record(KIND)
            cr.rollback()
        self.assertEqual(self.positions(), [])

    def test_a_worker_dies_between_commit_and_link(self):
        """The event is committed; the next event, or the scheduled action, gives it its place."""
        self.record(2, die=True)
        self.assertEqual(self.positions(), [None, None])
        self.record(1)
        self.assert_whole(3)
        self.record(2, die=True)
        with self.worker() as trail:
            trail._cron_link()
        self.assert_whole(5)

    def test_a_second_linker_sees_what_the_first_linked(self):
        """It waits before its first look at the data, so it never follows an old head."""
        self.record(2, die=True)
        linked = []
        # Odoo holds the registry's lock while it tests: environments are made in this thread.
        first, second = self.registry.cursor(), self.registry.cursor()
        self.addCleanup(second.close)
        waiting = api.Environment(second, SUPERUSER_ID, {})["bank.audit.event"]

        def link():
            linked.append(waiting._link_pending(wait=20_000))
            second.commit()

        try:
            trail = api.Environment(first, SUPERUSER_ID, {})["bank.audit.event"]
            self.assertEqual(trail._link_pending(), 2)
            thread = threading.Thread(target=link)
            thread.start()
            time.sleep(0.3)  # so that the second waits for the lock
            self.record(1, die=True)  # is committed before the second begins to look
            self.assertFalse(linked, "the second did not wait")
            first.commit()
            thread.join(30)
        finally:
            first.close()
        self.assertEqual(linked, [1])
        self.assert_whole(3)

    def test_a_busy_linker_holds_nobody_up(self):
        """Recording never waits for a linker, and a linker that can't start gives up quietly."""
        self.record(1, die=True)
        with self.worker() as trail:
            trail._link_pending()
            start = time.monotonic()
            self.record(1, die=True)
            self.assertLess(time.monotonic() - start, 5)
            with self.worker() as other, self.assertRaises(LockNotAvailable):
                other._link_pending(wait=50)
            with patch.object(type(trail), "_link_pending", side_effect=LockNotAvailable):
                self.assertEqual(bank_audit_event._link_now(self.registry), 0)
        self.record(1)
        self.assert_whole(3)

    def test_many_workers_at_once(self):
        """Each commits and links; the result is one chain without gap or fork."""
        # See above; so each has a second transaction ready, where Odoo opens it after a commit.
        pairs = [
            [
                api.Environment(self.registry.cursor(), SUPERUSER_ID, {})["bank.audit.event"]
                for _part in range(2)
            ]
            for _worker in range(4)
        ]

        def work(business, linker):
            for number in range(5):
                business._record(KIND, number=number)
            business.env.cr.commit()
            linker._link_pending(wait=20_000)
            linker.env.cr.commit()

        threads = [threading.Thread(target=work, args=pair) for pair in pairs]
        with patch.object(bank_audit_event, "_link_now", lambda _registry: 0):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
        for trail in (trail for pair in pairs for trail in pair):
            trail.env.cr.close()
        self.assert_whole(20)

    def test_a_backlog(self):
        """More than one slice is linked by the scheduled action, slice by slice."""
        self.record(7, die=True)
        with patch.object(bank_audit_event, "SLICE", 3), self.worker() as trail:
            trail._cron_link()
        self.assert_whole(7)
