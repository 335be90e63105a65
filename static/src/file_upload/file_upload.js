import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { onWillStart } from "@odoo/owl";
import { fileUploadListView } from "@account/views/file_upload_list/file_upload_list_view";
import { FileUploadListController } from "@account/views/file_upload_list/file_upload_list_controller";
import { FileUploadListRenderer } from "@account/views/file_upload_list/file_upload_list_renderer";

// Who may carry files: the server decides, this only hides the button from others.
const CARRIERS = [
    "account_bank_connect.group_preparer",
    "account_bank_connect.group_admin",
];

export class BankFileUploadController extends FileUploadListController {
    setup() {
        super.setup();
        this.hideUploadButton = true;
        onWillStart(async () => {
            const has = await Promise.all(CARRIERS.map((group) => user.hasGroup(group)));
            this.hideUploadButton = !has.includes(true);
        });
    }
}

export class BankFileUploadRenderer extends FileUploadListRenderer {
    setup() {
        super.setup();
        this.dropZoneTitle = _t("Drop the bank's answers and statements here.");
        this.dropZoneDescription = _t("Which account and batch they are of is found in them.");
    }
}

registry.category("views").add("bank_file_upload_list", {
    ...fileUploadListView,
    Controller: BankFileUploadController,
    Renderer: BankFileUploadRenderer,
});
