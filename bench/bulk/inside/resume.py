"""Runs in Odoo's shell: takes a long statement in, and dies in the middle if it is told to.

Prints a digest of what is booked when it is done.
"""

import hashlib
import json
import os
import signal
from datetime import date

import odoo.addons.account_bank_connect.models.bank_statement_import as importing

count, dies_at = int(os.environ["BENCH_N"]), int(os.environ["BENCH_DIES_AT"])
importing.SLICE = 100
messages = env["bank.message"]
Messages = type(messages)
journal = env["account.journal"].search([("bank_connection_id", "!=", False)])
account = journal.bank_account_id.sanitized_acc_number
day = date.today().isoformat()


def entry(number):
    """Every third without any reference; each amount several times."""
    reference = f"<AcctSvcrRef>R{number}</AcctSvcrRef>" if number % 3 else ""
    return (
        f'<Ntry><Amt Ccy="EUR">{number % 40 + 1}.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
        f"{reference}<AddtlNtryInf>fee</AddtlNtryInf></Ntry>"
    )


def balance(kind, amount):
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}.00</Amt>'
        f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


message = messages.search([("remote_id", "=", "resume")])
if not message:
    spent = sum(number % 40 + 1 for number in range(count))
    content = (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>M</MsgId><CreDtTm>{day}T18:00:00Z</CreDtTm></GrpHdr>"
        f"<Stmt><Id>S</Id><ElctrncSeqNb>1</ElctrncSeqNb><Acct><Id><IBAN>{account}</IBAN></Id>"
        f"<Ccy>EUR</Ccy></Acct>{balance('OPBD', 10**9)}{balance('CLBD', 10**9 - spent)}"
        + "".join(map(entry, range(count)))
        + "</Stmt></BkToCstmrStmt></Document>"
    )
    connection = journal.bank_connection_id
    message = messages._store(connection, content.encode(), name="resume", remote_id="resume")
    env.cr.commit()

book, slices = Messages._book_slice, []


def dying(self, *arguments):
    """Book a slice, and die before it is committed where this is the chosen one."""
    notes = book(self, *arguments)
    slices.append(arguments)
    if len(slices) == dies_at:
        self.env.flush_all()
        os.kill(os.getpid(), signal.SIGKILL)
    return notes


Messages._book_slice = dying
resumed = message.entries_done
messages._cron_process()
message.invalidate_recordset()
assert message.state == "processed", message.error
env.cr.execute(
    """
    SELECT line.bank_entry_key, line.amount::text, line.bank_reference, line.payment_ref,
           move.date::text, move.state, statement.balance_start::text,
           statement.balance_end_real::text, statement.is_complete,
           line.bank_told->0->>'f', rank() OVER (ORDER BY line.internal_index)
      FROM account_bank_statement_line line
      JOIN account_move move ON move.id = line.move_id
 LEFT JOIN account_bank_statement statement ON statement.id = line.statement_id
     WHERE line.journal_id = %s ORDER BY line.internal_index
    """,
    [journal.id],
)
rows = env.cr.fetchall()
figures = {
    "lines": len(rows),
    "resumed_at": resumed,
    "slices": len(slices),
    "digest": hashlib.sha256(json.dumps(rows).encode()).hexdigest(),
}
print("BENCH " + json.dumps(figures))
