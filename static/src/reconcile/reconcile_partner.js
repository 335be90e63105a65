import { Component, onMounted, useRef, useState } from "@odoo/owl";
import { RecordSelector } from "@web/core/record_selectors/record_selector";

/** Who is on the other side of a booking: for this one, or for all of the same account and name. */
export class ReconcilePartner extends Component {
    static template = "account_bank_connect.ReconcilePartner";
    static components = { RecordSelector };
    static props = { model: Object, line: Object, close: Function };

    setup() {
        this.root = useRef("root");
        const { line } = this.props;
        this.canRemember = Boolean(line.account || line.name);
        this.state = useState({
            partnerId: line.partner?.id || false,
            remember: this.canRemember,
        });
        onMounted(() => this.root.el.querySelector(".o_record_selector input")?.focus());
    }

    setPartner(id) {
        this.state.partnerId = id;
    }

    async save() {
        const { model, line, close } = this.props;
        close();
        await model.setPartner(line, this.state.partnerId, this.state.remember);
    }
}
