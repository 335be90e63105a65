import { Component, useEffect, useRef, useState } from "@odoo/owl";
import { useHotkey } from "@web/core/hotkeys/hotkey_hook";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { useModelWithSampleData } from "@web/model/model";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { usePager } from "@web/search/pager_hook";
import { SearchBar } from "@web/search/search_bar/search_bar";
import { useSearchBarToggler } from "@web/search/search_bar/search_bar_toggler";
import { ActionHelper } from "@web/views/action_helper";
import { standardViewProps } from "@web/views/standard_view_props";
import { BatchDialog, HelpDialog, RecentDialog } from "./reconcile_dialogs";
import { ReconcileDetail } from "./reconcile_detail";
import { ReconcileList } from "./reconcile_list";

/** The bookings on one side, the one that is looked at on the other; on a phone one after the other. */
export class ReconcileController extends Component {
    static template = "account_bank_connect.ReconcileView";
    static components = {
        ActionHelper,
        Layout,
        ReconcileDetail,
        ReconcileList,
        SearchBar,
    };
    static props = { ...standardViewProps, Model: Function };

    setup() {
        this.ui = useService("ui");
        this.dialog = useService("dialog");
        this.model = useModelWithSampleData(this.props.Model, {});
        // On a phone: whether the booking is shown, not the list. panel: search, writeOff, partner.
        this.state = useState({ detail: false, panel: null });
        this.rootRef = useRef("root");
        useSetupAction({ rootRef: this.rootRef });
        this.searchBarToggler = useSearchBarToggler();
        usePager(() => ({
            offset: this.model.offset,
            limit: this.model.limit,
            total: this.model.total,
            onUpdate: ({ offset, limit }) => this.model.turn(offset, limit),
        }));
        useEffect(
            () => {
                this.rootRef.el
                    ?.querySelector(".o_bank_reconcile_line.active")
                    ?.scrollIntoView({ block: "nearest" });
            },
            () => [this.model.currentId]
        );
        this.registerKeys();
    }

    registerKeys() {
        const free = {
            // A button that has the focus keeps its Enter.
            isAvailable: (target) => !target?.closest?.("button, a, .o-dropdown--menu"),
        };
        const keys = {
            arrowdown: () => this.go(1),
            arrowup: () => this.go(-1),
            j: () => this.go(1),
            k: () => this.go(-1),
            s: () => this.open("search"),
            w: () => this.open("writeOff"),
            p: () => this.open("partner"),
            e: () => this.editAmounts(),
            u: () => this.model.undoLast(),
            x: () => this.model.current && this.model.clear(this.model.current),
            b: () => this.openBatch(),
            r: () => this.openRecent(),
            h: () => this.dialog.add(HelpDialog),
        };
        for (const [key, callback] of Object.entries(keys)) {
            useHotkey(key, callback, { allowRepeat: key.length > 1 || key === "j" || key === "k" });
        }
        useHotkey("enter", () => this.confirm(), free);
        useHotkey("escape", () => this.close(), {
            isAvailable: () => Boolean(this.state.panel || (this.ui.isSmall && this.state.detail)),
        });
        for (let number = 1; number <= 5; number++) {
            useHotkey(String(number), () => this.chooseNumber(number - 1));
        }
    }

    get showList() {
        return !this.ui.isSmall || !this.state.detail;
    }

    get showDetail() {
        return this.model.current && (!this.ui.isSmall || this.state.detail);
    }

    // -- what keys and buttons do ---------------------------------------------------------------

    go(step) {
        this.state.panel = null;
        return this.model.move(step);
    }

    select(id) {
        this.state.panel = null;
        this.state.detail = true;
        this.model.select(id);
    }

    open(panel) {
        const line = this.model.current;
        if (line && !line.done && this.model.may) {
            this.state.detail = true;
            this.state.panel = panel;
        }
    }

    close() {
        if (this.state.panel) {
            this.state.panel = null;
        } else {
            this.state.detail = false;
        }
    }

    chooseNumber(index) {
        if (this.model.current && !this.model.current.done) {
            this.model.chooseSuggestion(this.model.current, index);
        }
    }

    editAmounts() {
        const line = this.model.current;
        if (line && !line.done && this.model.partsOf(line).length) {
            this.state.detail = true;
            this.state.panel = null;
            const input = this.rootRef.el.querySelector(".o_bank_reconcile_part input");
            input?.focus();
            input?.select();
        }
    }

    async confirm() {
        const line = this.model.current;
        if (!line) {
            return;
        }
        const waiting = !line.done;
        await this.model.apply(line);
        if (waiting && this.model.lines.some((one) => one.id === line.id && one.done)) {
            this.state.panel = null;
            this.state.detail = false;
        }
    }

    openBatch() {
        if (this.model.may) {
            this.dialog.add(BatchDialog, { model: this.model });
        }
    }

    openRecent() {
        this.dialog.add(RecentDialog, { model: this.model });
    }

    openHelp() {
        this.dialog.add(HelpDialog);
    }

    get batchTitle() {
        return _t("Confirm all sure suggestions at once (B)");
    }

    get recentTitle() {
        return _t("What was done last (R)");
    }

    get helpTitle() {
        return _t("Keys (H)");
    }
}
