import { Component, onWillStart, useState } from "@odoo/owl";
import { useAutofocus } from "@web/core/utils/hooks";
import { KeepLast } from "@web/core/utils/concurrency";
import { useDebounced } from "@web/core/utils/timing";
import { day, money } from "./reconcile_list";

const PAUSE = 250; // ms of rest in typing before the server is asked

/** Open bills, credit notes and payments, found by number, reference, partner, account, amount. */
export class ReconcileSearch extends Component {
    static template = "account_bank_connect.ReconcileSearch";
    static props = { model: Object, line: Object, close: Function };

    setup() {
        Object.assign(this, { day, money });
        this.input = useAutofocus({ refName: "input" });
        this.keepLast = new KeepLast();
        this.state = useState({ text: "", parts: [], more: false, active: 0 });
        this.ask = useDebounced(() => this.load(), PAUSE);
        onWillStart(() => this.load());
    }

    async load(offset = 0) {
        const { model, line } = this.props;
        const found = await this.keepLast.add(model.searchItems(line, this.state.text, offset));
        this.state.parts = offset ? [...this.state.parts, ...found.parts] : found.parts;
        this.state.more = found.more;
        this.state.active = offset ? this.state.active : 0;
    }

    /** More of what was found: payments without an entry come on the first page only. */
    loadMore() {
        return this.load(this.state.parts.filter((part) => part.kind === "item").length);
    }

    isChosen(part) {
        return (this.props.model.chosen[this.props.line.id] || []).some(
            (one) => one.kind === part.kind && one.id === part.id
        );
    }

    choose(part) {
        const { model, line } = this.props;
        if (this.isChosen(part)) {
            const index = model.chosen[line.id].findIndex(
                (one) => one.kind === part.kind && one.id === part.id
            );
            model.remove(line, index);
        } else {
            model.add(line, part);
        }
    }

    onKey(ev) {
        const { parts, active } = this.state;
        if (ev.key === "ArrowDown") {
            this.state.active = Math.min(active + 1, parts.length - 1);
        } else if (ev.key === "ArrowUp") {
            this.state.active = Math.max(active - 1, 0);
        } else if (ev.key === "Enter" && ev.ctrlKey) {
            this.props.close();
        } else if (ev.key === "Enter" && parts[active]) {
            this.choose(parts[active]);
            this.input.el.select();
        } else if (ev.key === "Escape") {
            this.props.close();
        } else {
            return;
        }
        ev.preventDefault();
        ev.stopPropagation();
    }
}
