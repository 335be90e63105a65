from . import audit, evidence, monitor, webhook
