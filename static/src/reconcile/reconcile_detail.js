import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { formatFloat } from "@web/views/fields/formatters";
import { parseFloat } from "@web/views/fields/parsers";
import { FormViewDialog } from "@web/views/view_dialogs/form_view_dialog";
import { day, money, scoreClass } from "./reconcile_list";
import { ReconcilePartner } from "./reconcile_partner";
import { ReconcileSearch } from "./reconcile_search";
import { ReconcileWriteOff } from "./reconcile_write_off";

const MANY = 5; // suggestions that have a key of their own

/** What the bank said about one booking, and what it is booked on. */
export class ReconcileDetail extends Component {
    static template = "account_bank_connect.ReconcileDetail";
    static components = { ReconcilePartner, ReconcileSearch, ReconcileWriteOff };
    static props = {
        model: Object,
        panel: { type: [String, { value: null }], optional: true },
        isSmall: Boolean,
        openPanel: Function,
        closePanel: Function,
        onConfirm: Function,
    };

    setup() {
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        Object.assign(this, { day, money, scoreClass });
    }

    get line() {
        return this.props.model.current;
    }

    get parts() {
        return this.props.model.partsOf(this.line);
    }

    get rest() {
        return this.props.model.restOf(this.line, this.parts);
    }

    get overdrawn() {
        const rest = this.rest;
        return rest && Math.sign(rest) !== Math.sign(Number(this.line.open));
    }

    get suggestions() {
        return (this.props.model.suggestions[this.line.id] || []).slice(0, MANY);
    }

    get asking() {
        return !this.line.done && !(this.line.id in this.props.model.suggestions);
    }

    /** The last write-off that was put together or booked: what a rule may be made of. */
    get writtenOff() {
        return this.parts.findLast((part) => part.kind === "account");
    }

    said(kind) {
        return {
            end_to_end_id: _t("End-to-end id"),
            creditor_reference: _t("Creditor reference"),
            return_reason: _t("Reason of return"),
            name: _t("Name"),
            payments: _t("Number of payments"),
            batch: _t("Batch"),
            charge: _t("Charge"),
            instructed: _t("Instructed"),
        }[kind];
    }

    shown(amount) {
        return formatFloat(Number(amount), { digits: [16, this.line.digits] });
    }

    moneyOf(part) {
        return money(part.amount, this.line.open_currency_id);
    }

    /** A part of what is open of an item? Then what is open of it is said. */
    partOfWhole(part) {
        return part.kind === "item" && part.changed && part.residual !== part.amount;
    }

    onAmount(index, ev) {
        let amount;
        try {
            amount = parseFloat(ev.target.value);
        } catch {
            ev.target.value = this.shown(this.parts[index].amount);
            this.notification.add(_t("This is no amount."), { type: "danger" });
            return;
        }
        // Whoever types no sign means the booking's own direction.
        if (Number(this.line.open) < 0 && amount > 0 && Number(this.parts[index].amount) < 0) {
            amount = -amount;
        }
        this.props.model.setAmount(this.line, index, amount);
    }

    onAmountKey(ev) {
        if (ev.key === "Enter" || ev.key === "Escape") {
            ev.target.blur();
            ev.stopPropagation();
            ev.preventDefault();
        }
    }

    openEntry(part) {
        this.action.doAction({
            type: "ir.actions.act_window",
            res_model: part.kind === "payment" ? "account.payment" : "account.move",
            res_id: part.kind === "payment" ? part.id : part.move_id,
            views: [[false, "form"]],
        });
    }

    async makeRule(part) {
        const context = await this.props.model.ruleFrom(this.line, part);
        this.dialog.add(FormViewDialog, {
            resModel: "bank.reconcile.rule",
            context,
            title: _t("A rule for bookings like this one"),
            onRecordSaved: async () => {
                this.notification.add(_t("The rule is saved, and offered from now on."), {
                    type: "success",
                });
                await this.props.model.loadSuggestions();
            },
        });
    }
}
