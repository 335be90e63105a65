"""What a database holds apart from its users' data, to compare before and after."""

from __future__ import annotations

from ..cluster import Cluster

_SCHEMA = """
    SELECT 'table ' || table_name FROM information_schema.tables WHERE table_schema = 'public'
    UNION ALL
    SELECT 'column ' || table_name || '.' || column_name
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL
    SELECT 'constraint ' || conrelid::regclass || ': ' || conname
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'index ' || indexname FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT 'trigger ' || tgrelid::regclass || ': ' || tgname
      FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'sequence ' || sequencename FROM pg_sequences
     WHERE schemaname = 'public' AND sequencename !~ '^ir_sequence_\\d'
    UNION ALL
    SELECT 'external id ' || module || '.' || name FROM ir_model_data WHERE module = %s
    UNION ALL
    SELECT 'parameter ' || key FROM ir_config_parameter
    UNION ALL
    SELECT 'scheduled action ' || cron_name FROM ir_cron
    UNION ALL
    SELECT 'payment method ' || code || ' ' || payment_type FROM account_payment_method
    UNION ALL
    SELECT 'model ' || model FROM ir_model
    UNION ALL
    SELECT 'field ' || model || '.' || name FROM ir_model_fields
    UNION ALL
    SELECT 'view ' || model || ' ' || name FROM ir_ui_view WHERE model IS NOT NULL
"""


def snapshot(cluster: Cluster, database: str, module: str) -> set[str]:
    """Names of tables, columns, constraints ... and of what Odoo keeps about modules."""
    return {name for (name,) in cluster.execute(_SCHEMA, (module,), database=database)}
