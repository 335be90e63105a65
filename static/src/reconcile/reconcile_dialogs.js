import { Component, onWillStart, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";
import { day, money } from "./reconcile_list";

const SURE = 90; // the score that is proposed as sure enough
const SLICE = 50; // bookings of one request

/** Which key does what. */
export class HelpDialog extends Component {
    static template = "account_bank_connect.ReconcileHelp";
    static components = { Dialog };
    static props = { close: Function };

    get title() {
        return _t("Keys");
    }

    get keys() {
        return [
            ["↓ ↑ / J K", _t("Next and previous booking")],
            [_t("Enter"), _t("Confirm what is suggested or chosen, and go on")],
            ["1 … 5", _t("Choose another suggestion")],
            ["S", _t("Search for bills and payments; Enter adds one, Esc closes")],
            ["E", _t("Edit amounts: pay a part, split over several")],
            ["W", _t("Write the rest off to an account")],
            ["P", _t("Set the partner, and remember it")],
            ["X", _t("Start again with this booking")],
            ["U", _t("Undo")],
            ["B", _t("Confirm all sure suggestions at once")],
            ["R", _t("What was done last")],
            ["H", _t("This help")],
        ];
    }
}

/** What people reconciled last, each with its undo. */
export class RecentDialog extends Component {
    static template = "account_bank_connect.ReconcileRecent";
    static components = { Dialog };
    static props = { close: Function, model: Object };

    setup() {
        Object.assign(this, { day, money });
        this.state = useState({ lines: [] });
        onWillStart(() => this.load());
    }

    get title() {
        return _t("Reconciled last");
    }

    async load() {
        this.state.lines = await this.props.model.recent();
    }

    async undo(line) {
        await this.props.model.undo(line);
        await Promise.all([this.load(), this.props.model.loadPage()]);
        this.props.model.notify();
    }
}

/** All bookings whose best suggestion is sure enough: counted first, then booked in slices. */
export class BatchDialog extends Component {
    static template = "account_bank_connect.ReconcileBatch";
    static components = { Dialog };
    static props = { close: Function, model: Object };

    setup() {
        Object.assign(this, { money });
        this.state = useState({ score: SURE, phase: "count", seen: 0, total: 0, ids: [] });
        onWillStart(() => this.count());
    }

    get title() {
        return _t("Confirm the sure ones");
    }

    get amounts() {
        return Object.entries(this.state.amounts || {});
    }

    get left() {
        // Each reason once, with how many bookings it left.
        const reasons = {};
        for (const reason of Object.values(this.state.left || {})) {
            reasons[reason] = (reasons[reason] || 0) + 1;
        }
        return Object.entries(reasons);
    }

    async onScore(ev) {
        this.state.score = Math.min(Math.max(Number(ev.target.value) || SURE, 1), 100);
        await this.count();
    }

    /** Look through all open bookings, some in each request. A later count ends an earlier one. */
    async count() {
        const run = (this.run = {});
        Object.assign(this.state, { phase: "count", seen: 0, total: 0, ids: [], amounts: {} });
        for (;;) {
            const part = await this.props.model.preview(this.state.score, this.state.seen);
            if (run !== this.run) {
                return;
            }
            this.state.ids.push(...part.ids);
            this.state.seen += part.seen;
            this.state.total = part.total;
            for (const [currency, sums] of Object.entries(part.amounts)) {
                const known = this.state.amounts[currency] || ["0", "0"];
                this.state.amounts[currency] = known.map((sum, i) => Number(sum) + Number(sums[i]));
            }
            if (!part.seen || this.state.seen >= part.total) {
                this.state.phase = "ready";
                return;
            }
        }
    }

    async confirm() {
        Object.assign(this.state, { phase: "work", done: 0, left: {} });
        const { ids, score } = this.state;
        for (let start = 0; start < ids.length; start += SLICE) {
            const answer = await this.props.model.confirmMany(ids.slice(start, start + SLICE), score);
            this.state.done += answer.done.length;
            this.props.model.done.push(...answer.done);
            Object.assign(this.state.left, answer.left);
        }
        this.state.phase = "done";
        await this.props.model.loadPage();
        this.props.model.notify();
    }
}
