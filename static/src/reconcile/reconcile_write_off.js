import { Component, onMounted, onWillStart, useRef, useState } from "@odoo/owl";
import { AnalyticDistribution } from "@analytic/components/analytic_distribution/analytic_distribution";
import { _t } from "@web/core/l10n/translation";
import { MultiRecordSelector } from "@web/core/record_selectors/multi_record_selector";
import { RecordSelector } from "@web/core/record_selectors/record_selector";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { Record } from "@web/model/record";
import { formatFloat } from "@web/views/fields/formatters";
import { parseFloat } from "@web/views/fields/parsers";

const CLOSED = ["asset_cash", "liability_credit_card", "off_balance"];

/** What is left of a booking, or some of it, for an account. */
export class ReconcileWriteOff extends Component {
    static template = "account_bank_connect.ReconcileWriteOff";
    static components = { AnalyticDistribution, MultiRecordSelector, Record, RecordSelector };
    static props = { model: Object, line: Object, close: Function };

    setup() {
        this.name = useService("name");
        this.notification = useService("notification");
        this.root = useRef("root");
        const { model, line } = this.props;
        // Over a suggestion that nobody touched, a write-off takes the whole booking.
        this.before = model.chosen[line.id] || [];
        const rest = model.restOf(line, this.before);
        this.state = useState({
            accountId: false,
            taxIds: [],
            partnerId: line.partner?.id || false,
            label: line.text,
            amount: rest.toFixed(line.digits),
            distribution: {},
        });
        onWillStart(async () => {
            this.hasAnalytic = await user.hasGroup("analytic.group_analytic_accounting");
        });
        onMounted(() => this.root.el.querySelector(".o_bank_reconcile_account input")?.focus());
    }

    get accountDomain() {
        return [
            ["account_type", "not in", CLOSED],
            ["company_ids", "parent_of", this.props.line.company_id],
        ];
    }

    get taxDomain() {
        return [
            ["type_tax_use", "in", ["purchase", "sale"]],
            ["company_id", "parent_of", this.props.line.company_id],
        ];
    }

    get taxPlaceholder() {
        return _t("Contained in the amount");
    }

    get shownAmount() {
        return formatFloat(Number(this.state.amount), { digits: [16, this.props.line.digits] });
    }

    get presets() {
        return this.props.model.presets;
    }

    get recordProps() {
        return {
            resModel: "bank.reconcile.rule",
            mode: "edit",
            fieldNames: ["analytic_distribution", "analytic_precision"],
            fields: {
                analytic_distribution: { name: "analytic_distribution", type: "json" },
                analytic_precision: { name: "analytic_precision", type: "integer" },
            },
            values: { analytic_distribution: this.state.distribution, analytic_precision: 2 },
            hooks: {
                onRecordChanged: (record) => {
                    this.state.distribution = record.data.analytic_distribution || {};
                },
            },
        };
    }

    setAccount(id) {
        this.state.accountId = id;
    }

    setTaxes(ids) {
        this.state.taxIds = ids;
    }

    setPartner(id) {
        this.state.partnerId = id;
    }

    usePreset(preset) {
        Object.assign(this.state, {
            accountId: preset.account.id,
            taxIds: preset.taxes.map((tax) => tax.id),
            partnerId: preset.partner_id || this.state.partnerId,
            label: preset.label || this.props.line.text,
            distribution: preset.analytic_distribution || {},
        });
        return this.add();
    }

    onAmount(ev) {
        try {
            let amount = parseFloat(ev.target.value);
            if (Number(this.props.line.open) < 0 && amount > 0) {
                amount = -amount;
            }
            this.state.amount = amount.toFixed(this.props.line.digits);
        } catch {
            this.notification.add(_t("This is no amount."), { type: "danger" });
        }
        ev.target.value = this.shownAmount;
    }

    onKey(ev) {
        // Enter in the label or the amount adds; in a selector it chooses.
        if (ev.key === "Enter" && ev.target.matches(".o_bank_reconcile_plain")) {
            ev.target.blur();
            ev.preventDefault();
            ev.stopPropagation();
            this.add();
        }
    }

    async add() {
        const { state } = this;
        if (!state.accountId) {
            this.notification.add(_t("Choose an account first."), { type: "warning" });
            return;
        }
        const accounts = await this.name.loadDisplayNames("account.account", [state.accountId]);
        const taxes = await this.name.loadDisplayNames("account.tax", state.taxIds);
        const { model, line } = this.props;
        model.choose(line, [
            ...this.before,
            {
                kind: "account",
                id: state.accountId,
                title: accounts[state.accountId],
                label: state.label,
                taxes: state.taxIds.map((id) => ({ id, name: taxes[id] })),
                analytic_distribution: Object.keys(state.distribution).length
                    ? state.distribution
                    : false,
                partner_id: state.partnerId,
                amount: state.amount,
            },
        ]);
        this.props.close();
    }
}
