import { Component } from "@odoo/owl";
import { formatCurrency } from "@web/core/currency";
import { deserializeDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { formatDate } from "@web/views/fields/formatters";

/** How a score is coloured: sure, likely, or a guess. */
export function scoreClass(score) {
    if (score >= 90) {
        return "text-bg-success";
    }
    return score >= 60 ? "text-bg-info" : "text-bg-secondary";
}

export function money(amount, currencyId) {
    return formatCurrency(Number(amount), Number(currencyId));
}

export function day(text) {
    return text ? formatDate(deserializeDate(text.slice(0, 10))) : "";
}

export class ReconcileList extends Component {
    static template = "account_bank_connect.ReconcileList";
    static props = { model: Object, onSelect: Function };

    setup() {
        Object.assign(this, { money, day, scoreClass });
    }

    title(line) {
        return line.partner?.name || line.name || line.text || _t("Without a name");
    }

    subtitle(line) {
        return this.title(line) === line.text ? line.code || "" : line.text;
    }

    best(line) {
        return line.done ? null : this.props.model.best(line);
    }
}
