from odoo import api, models


class BankEngineMixin(models.AbstractModel):
    """Records that the module's own steps make, with the values that these steps give them.

    Odoo fills what is left open from the caller's context (``default_…``) and from the defaults
    that every employee may keep for themselves: whoever presses a button could so decide what the
    machinery behind it writes, an instalment without its lock, say. Here only a field's own default
    fills anything.
    """

    _name = "bank.engine.mixin"
    _description = "Written by the Module's Own Steps"

    @api.model
    def default_get(self, fields):  # pylint: disable=method-required-super
        own = {
            name: self._fields[name].default(self)
            for name in fields
            if name in self._fields and self._fields[name].default
        }
        return self._convert_to_write(own)
