import { _t } from "@web/core/l10n/translation";
import { KeepLast } from "@web/core/utils/concurrency";
import { Model } from "@web/model/model";

const SCREEN = "bank.reconcile.screen";
const PAGE = 40;

/**
 * The bookings of one page, what they might be for, and what the user chose of it.
 *
 * Nothing is booked here: what the user chose is sent to the server as it stands on the screen,
 * with the stamp of the booking that they looked at. Amounts travel as decimal texts.
 */
export class ReconcileModel extends Model {
    static services = ["notification", "action"];

    setup(params, { notification, action }) {
        this.notification = notification;
        this.action = action;
        this.keepLast = new KeepLast();
        this.lines = [];
        this.total = 0;
        this.offset = 0;
        this.limit = PAGE;
        this.currentId = null;
        this.may = false;
        this.presets = [];
        this.suggestions = {}; // line's id → list; missing: not asked yet
        this.chosen = {}; // line's id → parts that the user put together
        this.done = []; // ids of what this person booked just now, last one last
        this.busy = false;
    }

    // -- loading ----------------------------------------------------------------------------

    async load(params = {}) {
        if (params.domain) {
            this.domain = params.domain;
            this.offset = 0;
        }
        if (params.context) {
            this.context = params.context;
        }
        await this.loadPage();
    }

    async loadPage() {
        const page = await this.keepLast.add(
            this.orm.call(SCREEN, "load_page", [this.domain, this.offset, this.limit])
        );
        if (page.elsewhere) {
            this.action.doAction(page.elsewhere, { clearBreadcrumbs: true });
            return;
        }
        this.lines = page.lines;
        this.total = page.total;
        this.may = page.may;
        this.presets = page.presets;
        if (!this.lines.some((line) => line.id === this.currentId)) {
            this.currentId = this.lines[0]?.id || null;
        }
        this.suggestions = {};
        this.loadSuggestions();
    }

    /** Suggestions come after the bookings themselves are shown, for all of the page at once. */
    async loadSuggestions(ids) {
        const wanted = ids || this.lines.filter((line) => !line.done).map((line) => line.id);
        if (!wanted.length) {
            return;
        }
        const found = await this.orm.silent.call(SCREEN, "suggest", [wanted]);
        for (const id of wanted) {
            this.suggestions[id] = found[id] || [];
        }
        this.notify();
    }

    get current() {
        return this.lines.find((line) => line.id === this.currentId);
    }

    get currentIndex() {
        return this.lines.findIndex((line) => line.id === this.currentId);
    }

    hasData() {
        return this.lines.length > 0;
    }

    // -- moving -----------------------------------------------------------------------------

    select(id) {
        this.currentId = id;
        this.notify();
    }

    async move(step) {
        const index = this.currentIndex + step;
        if (index >= 0 && index < this.lines.length) {
            this.select(this.lines[index].id);
        } else if (step > 0 && this.offset + this.lines.length < this.total) {
            await this.turn(this.offset + this.limit, this.limit);
        } else if (step < 0 && this.offset > 0) {
            await this.turn(Math.max(this.offset - this.limit, 0), this.limit);
            this.select(this.lines.at(-1)?.id);
        }
    }

    async turn(offset, limit) {
        this.offset = offset;
        this.limit = limit;
        this.currentId = null;
        await this.loadPage();
        this.notify();
    }

    // -- choosing ---------------------------------------------------------------------------

    best(line) {
        return this.suggestions[line.id]?.[0];
    }

    /** What would be booked now: what the user put together, else the best suggestion. */
    partsOf(line) {
        return this.chosen[line.id] || this.best(line)?.parts || [];
    }

    isSuggested(line) {
        return !this.chosen[line.id];
    }

    /** What would be left open, in the booking's currency and with its sign. */
    restOf(line, parts = this.partsOf(line)) {
        const factor = 10 ** line.digits;
        const cents = (amount) => Math.round(Number(amount) * factor);
        const taken = parts.reduce((sum, part) => sum + cents(part.amount), 0);
        return (cents(line.open) - taken) / factor;
    }

    choose(line, parts) {
        this.chosen[line.id] = parts.map((part) => ({ ...part }));
        this.notify();
    }

    chooseSuggestion(line, index) {
        const suggestion = this.suggestions[line.id]?.[index];
        if (suggestion) {
            this.choose(line, suggestion.parts);
        }
    }

    /** Add an open item or a payment, of as much as the booking still covers. */
    add(line, part) {
        const parts = this.chosen[line.id] || [];
        if (parts.some((one) => one.kind === part.kind && one.id === part.id && one.kind !== "account")) {
            return;
        }
        const amount = part.kind === "item" ? this.capped(line, parts, part) : part.amount;
        this.choose(line, [...parts, { ...part, amount }]);
    }

    capped(line, parts, part) {
        const rest = this.restOf(line, parts);
        const wanted = Number(part.amount);
        if (rest && Math.sign(rest) === Math.sign(wanted) && Math.abs(wanted) > Math.abs(rest)) {
            return rest.toFixed(line.digits);
        }
        return part.amount;
    }

    setAmount(line, index, amount) {
        const parts = this.partsOf(line).map((part) => ({ ...part }));
        parts[index].amount = amount.toFixed(line.digits);
        parts[index].changed = true;
        this.choose(line, parts);
    }

    remove(line, index) {
        this.choose(
            line,
            this.partsOf(line).filter((_part, number) => number !== index)
        );
    }

    clear(line) {
        delete this.chosen[line.id];
        this.notify();
    }

    // -- doing ------------------------------------------------------------------------------

    /** One thing at a time: a second key press while the first is under way does nothing. */
    async once(work) {
        if (this.busy || !this.may) {
            return;
        }
        this.busy = true;
        this.notify();
        try {
            return await work();
        } finally {
            this.busy = false;
            this.notify();
        }
    }

    wire(part) {
        if (part.kind === "item") {
            // Who changes the amount decides what of the item is paid: no discount any more.
            const discount = Boolean(part.discount && !part.changed);
            return { item_id: part.id, amount: part.amount, discount };
        }
        if (part.kind === "payment") {
            return { payment_id: part.id };
        }
        return {
            account_id: part.id,
            amount: part.amount,
            name: part.label,
            tax_ids: part.taxes.map((tax) => tax.id),
            analytic_distribution: part.analytic_distribution,
            partner_id: part.partner_id,
        };
    }

    async apply(line) {
        const parts = this.partsOf(line);
        if (line.done || !parts.length) {
            return;
        }
        return this.once(async () => {
            const answer = await this.orm.call(SCREEN, "apply", [
                line.id,
                parts.map((part) => this.wire(part)),
                line.stamp,
            ]);
            if (this.take(answer)) {
                this.done.push(line.id);
                this.goOn(answer.line);
            }
        });
    }

    /** Take over how a booking stands after an answer; say so where somebody was faster. */
    take({ line, conflict }) {
        const index = this.lines.findIndex((one) => one.id === line.id);
        if (index >= 0) {
            this.lines[index] = line;
        }
        delete this.chosen[line.id];
        delete this.suggestions[line.id];
        if (conflict) {
            this.notification.add(conflict, { type: "warning" });
        }
        if (!line.done) {
            this.loadSuggestions([line.id]);
        }
        return !conflict;
    }

    /** To the next booking that waits; one that is partly booked is gone on with. */
    goOn(line) {
        if (!line.done) {
            return;
        }
        const index = this.currentIndex;
        const waiting = (one) => !one.done;
        const next = this.lines.slice(index + 1).find(waiting) || this.lines.find(waiting);
        if (next) {
            this.currentId = next.id;
        } else if (this.total > this.lines.length) {
            this.turn(0, this.limit);
        }
    }

    async undo(line) {
        if (!line.done && !line.partly) {
            return;
        }
        return this.once(async () => {
            const answer = await this.orm.call(SCREEN, "undo", [line.id, line.stamp]);
            if (this.take(answer)) {
                this.done = this.done.filter((id) => id !== line.id);
                if (this.lines.some((one) => one.id === line.id)) {
                    this.currentId = line.id;
                }
                this.notification.add(_t("Undone: the booking is open again."), { type: "info" });
            }
        });
    }

    /** Undo the booking that is shown, or else what was booked last. */
    async undoLast() {
        const current = this.current;
        if (current && (current.done || current.partly)) {
            return this.undo(current);
        }
        const last = this.done.at(-1);
        if (last) {
            const [line] = await this.orm.call(SCREEN, "read_lines", [[last]]);
            return this.undo(line);
        }
    }

    async setPartner(line, partnerId, remember) {
        return this.once(async () => {
            const answer = await this.orm.call(SCREEN, "set_partner", [
                line.id,
                partnerId,
                remember,
                line.stamp,
            ]);
            const kept = this.chosen[line.id];
            if (this.take(answer) && kept) {
                this.chosen[line.id] = kept;
            }
            if (answer.remembered) {
                this.notification.add(
                    _t("Remembered: later bookings of this account and name get this partner."),
                    { type: "success" }
                );
            }
        });
    }

    searchItems(line, text, offset = 0) {
        return this.orm.silent.call(SCREEN, "search_items", [line.id, text, offset]);
    }

    ruleFrom(line, part) {
        return this.orm.call(SCREEN, "rule_from", [line.id, this.wire(part)]);
    }

    recent() {
        return this.orm.call(SCREEN, "recent", []);
    }

    preview(score, offset) {
        return this.orm.silent.call(SCREEN, "preview", [this.domain, score, offset]);
    }

    confirmMany(ids, score) {
        return this.orm.silent.call(SCREEN, "confirm", [ids, score]);
    }
}
