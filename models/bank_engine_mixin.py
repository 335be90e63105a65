from odoo import api, models
from odoo.exceptions import AccessError

from .engine import ENGINE


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


class BankEngineOnly(models.AbstractModel):
    """Records that nobody makes, changes or removes but the module's own steps."""

    _name = "bank.engine.only"
    _inherit = ["bank.engine.mixin"]
    _description = "Changed by the Module's Own Steps Only"

    def _engine_sentence(self):
        """Why nobody writes these by hand."""
        raise NotImplementedError

    @api.model_create_multi
    def create(self, vals_list):
        self._check_engine()
        return super().create(vals_list)

    def write(self, vals):
        self._check_engine()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_engine_only(self):
        self._check_engine()

    def _check_engine(self):
        if self.env.context.get("bank_engine") is not ENGINE:
            raise AccessError(self._engine_sentence())
