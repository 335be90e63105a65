import { Component, onWillStart, useExternalListener, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useBus, useService } from "@web/core/utils/hooks";

const REST = 60 * 1000; // ms between two questions that nobody's action asked for

/**
 * The number of payment batches that wait for the user, beside the other counters of the menu.
 * It asks once when Odoo is opened, when the server says that something changed, and when the
 * window comes to the front after a while.
 */
export class WaitingMenu extends Component {
    static template = "account_bank_connect.WaitingMenu";
    static props = {};

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.state = useState({ count: 0, isApprover: false });
        const bus = useService("bus_service");
        bus.subscribe("bank_connect/awaiting", () => this.ask());
        useBus(this.env.bus, "ACTION_MANAGER:UI-UPDATED", () => this.askAfterRest());
        useExternalListener(window, "focus", () => this.askAfterRest());
        onWillStart(async () => {
            this.state.isApprover = await user.hasGroup("account_bank_connect.group_approver");
            // The menu does not wait for the answer.
            this.ask();
        });
    }

    get title() {
        return _t("Payment batches that wait for your approval");
    }

    async ask() {
        if (!this.state.isApprover) {
            return;
        }
        this.asked = Date.now();
        this.state.count = await this.orm.silent.call(
            "bank.payment.batch",
            "count_waiting_for_me",
            []
        );
    }

    askAfterRest() {
        if (Date.now() - (this.asked || 0) > REST) {
            this.ask();
        }
    }

    open() {
        this.action.doAction("account_bank_connect.action_batch_to_approve", {
            additionalContext: { search_default_to_approve: 0, search_default_waits_for_me: 1 },
            clearBreadcrumbs: true,
        });
    }
}

registry
    .category("systray")
    .add("account_bank_connect.waiting_menu", { Component: WaitingMenu }, { sequence: 22 });
