"""What is measured inside Odoo's process: seconds, queries, memory, and the floor beside them.

Beside the seconds on the clock stand those of the processor, spent by Odoo and by its PostgreSQL
backend: on a machine with other work to do they say more.
"""

import io
import json
import time
from pathlib import Path

import psutil

TABLES = (
    "account_payment",
    "account_move",
    "account_move_line",
    "account_partial_reconcile",
    "account_full_reconcile",
    "account_bank_statement",
    "account_bank_statement_line",
    "bank_payment_batch",
    "bank_payment_instalment",
    "bank_message",
)


class Meter:
    """Measures one step: ``with Meter(env) as meter: …``, then ``meter.tell(floor_bytes)``."""

    def __init__(self, env):
        self.env = env

    def __enter__(self):
        self.env.cr.commit()
        self.env.invalidate_all()
        self.last = {table: self._last(table) for table in TABLES}
        self.env.cr.execute("SELECT pg_backend_pid()")
        self.processes = [psutil.Process(), psutil.Process(self.env.cr.fetchone()[0])]
        self.queries = self.env.cr.sql_log_count
        self.processor = self._processor_seconds()
        # Linux counts the peak anew from here: what prepared the step is not the step's.
        Path("/proc/self/clear_refs").write_text("5")
        self.memory = self._memory("VmRSS")
        self.started = time.perf_counter()
        return self

    def __exit__(self, *error):
        self.env.flush_all()
        self.env.cr.commit()
        self.seconds = time.perf_counter() - self.started
        self.processor = self._processor_seconds() - self.processor
        self.queries = self.env.cr.sql_log_count - self.queries
        self.peak = self._memory("VmHWM")

    def tell(self, floor_bytes):
        """Print the figures; ``floor_bytes`` makes the same bytes with lxml alone."""
        started = time.perf_counter()
        floor_bytes()
        floor = time.perf_counter() - started + self._copy_rows()
        figures = {
            "seconds": round(self.seconds, 2),
            "cpu_seconds": round(self.processor, 2),
            "queries": self.queries,
            "peak_mib": round(self.peak),
            "grown_mib": round(self.peak - self.memory),
            "floor_seconds": round(floor, 3),
        }
        print("BENCH " + json.dumps(figures))

    def _processor_seconds(self):
        return sum(sum(process.cpu_times()[:2]) for process in self.processes)

    def _memory(self, name):
        """A figure of this process's memory, in MiB."""
        lines = Path("/proc/self/status").read_text().splitlines()
        found = next(line for line in lines if line.startswith(f"{name}:"))
        return int(found.split()[1]) / 1024

    def _last(self, table):
        self.env.cr.execute(f"SELECT COALESCE(max(id), 0) FROM {table}")  # noqa: S608
        return self.env.cr.fetchone()[0]

    def _copy_rows(self):
        """Seconds that the rows made in between take by COPY, indexes and commit included."""
        cr = self.env.cr
        copies = {}
        for table in TABLES:
            buffer = io.BytesIO()
            query = f"SELECT * FROM {table} WHERE id > {self.last[table]}"  # noqa: S608
            cr._obj.copy_expert(f"COPY ({query}) TO STDOUT", buffer)
            cr.execute(f"DROP TABLE IF EXISTS floor_{table}")
            cr.execute(f"CREATE TABLE floor_{table} (LIKE {table} INCLUDING ALL)")
            copies[table] = buffer
        cr.commit()
        started = time.perf_counter()
        for table, buffer in copies.items():
            buffer.seek(0)
            cr._obj.copy_expert(f"COPY floor_{table} FROM STDIN", buffer)
        cr.commit()
        return time.perf_counter() - started
