from . import evidence, monitor, webhook
