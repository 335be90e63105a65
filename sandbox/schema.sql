-- The bank's books. Money is kept in whole minor units (cents) of its currency, never in floats.
-- Times are the bank's own (UTC), as 'YYYY-MM-DDTHH:MM:SS', so that text order is time order.

CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS contract (
    id TEXT PRIMARY KEY,
    customer TEXT NOT NULL,
    consent_id TEXT NOT NULL UNIQUE,
    camt_version TEXT NOT NULL DEFAULT '08' CHECK (camt_version IN ('02', '08')),
    empty_statements INTEGER NOT NULL DEFAULT 1,
    created_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS certificate (
    fingerprint TEXT PRIMARY KEY,           -- SHA-256 of the DER form, hexadecimal
    contract_id TEXT NOT NULL REFERENCES contract,
    not_after TEXT NOT NULL,
    revoked_at TEXT
);

CREATE TABLE IF NOT EXISTS account (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('customer', 'bank')),
    contract_id TEXT REFERENCES contract,
    iban TEXT UNIQUE,
    currency TEXT NOT NULL,
    name TEXT NOT NULL,
    balance INTEGER NOT NULL DEFAULT 0,     -- cache of the postings; credit is positive
    statement_number INTEGER NOT NULL DEFAULT 0,
    notice_number INTEGER NOT NULL DEFAULT 0,
    report_number INTEGER NOT NULL DEFAULT 0,
    statement_until TEXT,                   -- booking date of the last statement
    opened_at TEXT NOT NULL,
    CHECK ((kind = 'customer') = (contract_id IS NOT NULL AND iban IS NOT NULL))
);

-- Double entry. A journal is written with its postings and then sealed; sealing refuses what does
-- not sum to zero in each currency, and nothing sealed can change.
CREATE TABLE IF NOT EXISTS journal (
    id INTEGER PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    booked_at TEXT NOT NULL,
    booking_date TEXT NOT NULL,
    sealed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS journal_open ON journal (id) WHERE sealed = 0;

CREATE TABLE IF NOT EXISTS posting (
    id INTEGER PRIMARY KEY,
    journal_id INTEGER NOT NULL REFERENCES journal,
    account_id TEXT NOT NULL REFERENCES account,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL                 -- credit positive, debit negative
);
CREATE INDEX IF NOT EXISTS posting_journal ON posting (journal_id);
CREATE INDEX IF NOT EXISTS posting_account ON posting (account_id);

CREATE TRIGGER IF NOT EXISTS posting_insert BEFORE INSERT ON posting
WHEN (SELECT sealed FROM journal WHERE id = NEW.journal_id) <> 0
  OR NEW.currency <> (SELECT currency FROM account WHERE id = NEW.account_id)
BEGIN SELECT RAISE(ABORT, 'posting into a sealed journal or in another currency'); END;

CREATE TRIGGER IF NOT EXISTS posting_balance AFTER INSERT ON posting
BEGIN UPDATE account SET balance = balance + NEW.amount WHERE id = NEW.account_id; END;

CREATE TRIGGER IF NOT EXISTS posting_update BEFORE UPDATE ON posting
BEGIN SELECT RAISE(ABORT, 'a posting never changes'); END;
CREATE TRIGGER IF NOT EXISTS posting_delete BEFORE DELETE ON posting
BEGIN SELECT RAISE(ABORT, 'a posting is never deleted'); END;

CREATE TRIGGER IF NOT EXISTS journal_seal BEFORE UPDATE ON journal
WHEN OLD.sealed = 1 OR NEW.sealed <> 1
  OR (SELECT COUNT(*) FROM posting WHERE journal_id = NEW.id) < 2
  OR EXISTS (SELECT 1 FROM posting WHERE journal_id = NEW.id
             GROUP BY currency HAVING SUM(amount) <> 0)
BEGIN SELECT RAISE(ABORT, 'a journal must balance in each currency and never changes'); END;
CREATE TRIGGER IF NOT EXISTS journal_delete BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'a journal is never deleted'); END;

-- What a customer sees of a journal: one entry of an account, with the transactions behind it.
CREATE TABLE IF NOT EXISTS entry (
    id INTEGER PRIMARY KEY,
    journal_id INTEGER NOT NULL REFERENCES journal,
    account_id TEXT NOT NULL REFERENCES account,
    amount INTEGER NOT NULL,                -- credit positive
    booked_at TEXT NOT NULL,
    booking_date TEXT NOT NULL,
    value_date TEXT NOT NULL,
    reference TEXT NOT NULL UNIQUE,         -- AcctSvcrRef
    code TEXT NOT NULL,                     -- domain/family/sub-family of BkTxCd
    batch INTEGER NOT NULL DEFAULT 0,
    opening INTEGER NOT NULL DEFAULT 0,     -- the opening balance: in no statement
    information TEXT,
    statement_id TEXT
);
CREATE INDEX IF NOT EXISTS entry_account ON entry (account_id, booking_date);
CREATE INDEX IF NOT EXISTS entry_unstated ON entry (account_id)
    WHERE statement_id IS NULL AND opening = 0;

CREATE TABLE IF NOT EXISTS entry_detail (
    id INTEGER PRIMARY KEY,
    entry_id INTEGER NOT NULL REFERENCES entry,
    role TEXT NOT NULL CHECK (role IN ('executed', 'returned', 'received', 'other')),
    payment_id INTEGER REFERENCES payment,
    amount INTEGER NOT NULL,                -- of the account's currency, charges included
    charges INTEGER NOT NULL DEFAULT 0,
    reason TEXT,                            -- return reason
    data TEXT                               -- JSON: parties and remittance of what is no payment
);
CREATE INDEX IF NOT EXISTS detail_entry ON entry_detail (entry_id);
-- A payment is executed at most once and returned at most once, whatever the program does.
CREATE UNIQUE INDEX IF NOT EXISTS detail_executed ON entry_detail (payment_id)
    WHERE role = 'executed';
CREATE UNIQUE INDEX IF NOT EXISTS detail_returned ON entry_detail (payment_id)
    WHERE role = 'returned';

CREATE TABLE IF NOT EXISTS submission (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,                -- the API's paymentId
    contract_id TEXT NOT NULL REFERENCES contract,
    request_id TEXT NOT NULL,
    service TEXT NOT NULL,
    product TEXT NOT NULL,
    message_id TEXT,
    message_name TEXT,
    created TEXT,                           -- the message's own CreDtTm
    sha256 TEXT NOT NULL,
    body BLOB NOT NULL,
    received_at TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'RCVD',
    reason TEXT,
    information TEXT,
    transactions INTEGER,
    control_sum TEXT
);
CREATE INDEX IF NOT EXISTS submission_key ON submission (contract_id, request_id, seq);
CREATE INDEX IF NOT EXISTS submission_message ON submission (contract_id, message_id);

CREATE TABLE IF NOT EXISTS block (          -- a payment information block (PmtInf)
    id INTEGER PRIMARY KEY,
    submission_id TEXT NOT NULL REFERENCES submission (id),
    payment_information_id TEXT NOT NULL,
    account_id TEXT REFERENCES account,
    debtor_name TEXT,
    requested_date TEXT NOT NULL,
    execution_date TEXT,
    batch_booking INTEGER NOT NULL,
    transactions INTEGER NOT NULL,
    control_sum TEXT,
    reason TEXT,
    information TEXT
);
CREATE INDEX IF NOT EXISTS block_submission ON block (submission_id);

CREATE TABLE IF NOT EXISTS payment (        -- one credit transfer (CdtTrfTxInf)
    id INTEGER PRIMARY KEY,
    block_id INTEGER NOT NULL REFERENCES block,
    instruction_id TEXT,
    end_to_end_id TEXT NOT NULL,
    uetr TEXT,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    creditor_name TEXT,
    creditor_account TEXT,
    creditor_agent TEXT,
    remittance TEXT,                        -- RmtInf as XML without a name space
    status TEXT NOT NULL,
    reason TEXT,
    information TEXT,
    changed_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS payment_block ON payment (block_id);
CREATE INDEX IF NOT EXISTS payment_end_to_end ON payment (end_to_end_id);

CREATE TABLE IF NOT EXISTS document (       -- what the bank issued
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    contract_id TEXT NOT NULL REFERENCES contract,
    kind TEXT NOT NULL,
    message_name TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    content BLOB NOT NULL,
    acknowledged_at TEXT
);
CREATE INDEX IF NOT EXISTS document_new ON document (contract_id, seq)
    WHERE acknowledged_at IS NULL;

CREATE TABLE IF NOT EXISTS event (          -- what the bank has to do, and when
    id INTEGER PRIMARY KEY,
    due_at TEXT NOT NULL,
    kind TEXT NOT NULL,
    ref TEXT NOT NULL,
    done_at TEXT,
    error TEXT
);
CREATE INDEX IF NOT EXISTS event_due ON event (due_at, id) WHERE done_at IS NULL;

CREATE TABLE IF NOT EXISTS fault (
    id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,                     -- JSON, see faults.py
    seen INTEGER NOT NULL DEFAULT 0,
    fired INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS fault_count (name TEXT PRIMARY KEY, number INTEGER NOT NULL);

CREATE TABLE IF NOT EXISTS held (           -- documents that the fault plan keeps back
    document_id TEXT PRIMARY KEY REFERENCES document (id),
    until REAL NOT NULL                     -- real time, seconds since 1970
);

CREATE TABLE IF NOT EXISTS laid_out (       -- documents in the customer's folder, see mailbox.py
    document_id TEXT PRIMARY KEY REFERENCES document (id),
    name TEXT NOT NULL                      -- the file's
);

-- Bank Web Services (SOAP): what is agreed beyond the contract itself.
CREATE TABLE IF NOT EXISTS soap_contract (
    contract_id TEXT PRIMARY KEY REFERENCES contract,
    sender_id TEXT NOT NULL UNIQUE,
    receiver_id TEXT NOT NULL,
    customer_id TEXT NOT NULL UNIQUE,
    target_id TEXT NOT NULL,
    flavour TEXT NOT NULL,
    environment TEXT NOT NULL,
    compression TEXT NOT NULL,
    encryption INTEGER NOT NULL,
    client_certificate INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT '',         -- a response code: everything is refused with it
    transfer TEXT NOT NULL DEFAULT '',
    transfer_key TEXT,
    transfer_tries INTEGER NOT NULL DEFAULT 0,
    transfer_used_at TEXT
);

-- Certificates that sign or decrypt: they open no TLS connection. Without contract: the bank's own.
CREATE TABLE IF NOT EXISTS soap_certificate (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    contract_id TEXT REFERENCES contract,
    kind TEXT NOT NULL CHECK (kind IN ('signing', 'encryption')),
    serial TEXT NOT NULL,                   -- hexadecimal
    der BLOB NOT NULL,
    not_after TEXT NOT NULL,
    revoked_at TEXT                         -- real time
);

CREATE TABLE IF NOT EXISTS soap_request (   -- what was carried out, to know it again
    id INTEGER PRIMARY KEY,
    sender_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    operation TEXT NOT NULL,
    received_at TEXT NOT NULL,
    sha256 TEXT,                            -- of an uploaded document
    submission_id TEXT REFERENCES submission (id),
    file_type TEXT,
    user_filename TEXT
);
CREATE INDEX IF NOT EXISTS soap_request_key ON soap_request (sender_id, request_id);
CREATE INDEX IF NOT EXISTS soap_request_time ON soap_request (customer_id, timestamp);
CREATE INDEX IF NOT EXISTS soap_request_submission ON soap_request (submission_id);

-- Other kinds of REST channel than the Berlin Group's.
CREATE TABLE IF NOT EXISTS channel (
    contract_id TEXT PRIMARY KEY REFERENCES contract,
    terms TEXT NOT NULL,                    -- JSON, see kinds.py
    client_id TEXT NOT NULL UNIQUE,
    client_secret TEXT NOT NULL,
    api_key TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS token (          -- of a bearer token only its digest
    sha256 TEXT PRIMARY KEY,
    contract_id TEXT NOT NULL REFERENCES contract,
    thumbprint TEXT NOT NULL,               -- x5t#S256 of the TLS certificate that it is bound to
    scope TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    revoked_at TEXT
);

CREATE TABLE IF NOT EXISTS assertion (      -- used once, for ever
    client_id TEXT NOT NULL,
    jti TEXT NOT NULL,
    received_at TEXT NOT NULL,
    PRIMARY KEY (client_id, jti)
);

CREATE TABLE IF NOT EXISTS consent (        -- to a file of payments
    id TEXT PRIMARY KEY,
    contract_id TEXT NOT NULL REFERENCES contract,
    request_id TEXT NOT NULL,
    initiation TEXT NOT NULL,               -- JSON as received
    status TEXT NOT NULL,
    created_at TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    file BLOB,
    file_request_id TEXT,
    order_request_id TEXT,
    submission_id TEXT REFERENCES submission (id)
);
CREATE INDEX IF NOT EXISTS consent_key ON consent (contract_id, request_id);

CREATE TABLE IF NOT EXISTS webhook (        -- where a customer wants to be called
    contract_id TEXT PRIMARY KEY REFERENCES contract,
    url TEXT NOT NULL,
    form TEXT NOT NULL CHECK (form IN ('hmac', 'jws')),
    secret TEXT NOT NULL,
    ca TEXT,                                -- PEM: who may have signed the address's certificate
    headers TEXT NOT NULL DEFAULT '{}'      -- JSON: further headers
);

CREATE TABLE IF NOT EXISTS notification (   -- one call, for one document
    id INTEGER PRIMARY KEY,
    contract_id TEXT NOT NULL REFERENCES contract,
    document_id TEXT NOT NULL REFERENCES document (id),
    tries INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,            -- real time, seconds since 1970
    result TEXT,                            -- of the last try
    done_at TEXT                            -- real time; also when given up
);
CREATE INDEX IF NOT EXISTS notification_due ON notification (due) WHERE done_at IS NULL;

-- What a contract has otherwise than the bank's standard; see options.py.
CREATE TABLE IF NOT EXISTS contract_option (
    contract_id TEXT NOT NULL REFERENCES contract,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (contract_id, name)
);

-- Mistakes that the desk has ordered and the bank has yet to make, or has made.
CREATE TABLE IF NOT EXISTS mistake (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    ref TEXT NOT NULL,                      -- an account's IBAN, or an end-to-end id
    value INTEGER NOT NULL DEFAULT 0,       -- minor units
    ordered_at TEXT NOT NULL,
    done_at TEXT,
    document_id TEXT REFERENCES document (id)
);
CREATE INDEX IF NOT EXISTS mistake_open ON mistake (kind, ref) WHERE done_at IS NULL;
