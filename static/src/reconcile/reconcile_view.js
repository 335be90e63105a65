import { registry } from "@web/core/registry";
import { ReconcileController } from "./reconcile_controller";
import { ReconcileModel } from "./reconcile_model";

/** The reconciliation screen: a view of statement lines, with Odoo's own search bar above it. */
export const reconcileView = {
    type: "list",
    Controller: ReconcileController,
    Model: ReconcileModel,
    searchMenuTypes: ["filter", "favorite"],
    props: (genericProps, view) => ({ ...genericProps, Model: view.Model }),
};

registry.category("views").add("bank_reconcile", reconcileView);
