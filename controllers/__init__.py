from . import audit, evidence, monitor, reconciliation, webhook
