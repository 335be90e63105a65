"""The marker by which the module's own state machines recognise themselves.

Guards on payments and batches let a change pass only where the context carries this very object.
A context that comes from outside is JSON, so no remote call can hold it.
"""

ENGINE = object()
