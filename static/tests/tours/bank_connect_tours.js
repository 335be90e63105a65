import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const row = (text) => `.o_data_row:contains("${text}")`;
const wizard = ".modal .o_form_view";
const state = (label) => `.o_statusbar_status .o_arrow_button_current:contains("${label}")`;

tours.add("bank_connect_prepare", {
    steps: () => [
        {
            content: "Open the bill of the vendor whose account nobody has confirmed",
            trigger: `${row("INV-UNTRUSTED")} td[name=ref]`,
            run: "click",
        },
        {
            content: "Send it to the bank",
            trigger: ".o_form_view button[name=action_send_to_bank]",
            run: "click",
        },
        {
            content: "The wizard says what is in the way, in words",
            trigger: `${wizard} ${row("is on hold")}`,
        },
        {
            content: "Nothing would leave",
            trigger: `${wizard}:not(:has([name=summary] table))`,
        },
        {
            content: "Leave it",
            trigger: ".modal button[special=cancel]",
            run: "click",
        },
        {
            content: "Back to the list",
            trigger: "body:not(:has(.modal)) .o_back_button, body:not(:has(.modal)) .breadcrumb-item a",
            run: "click",
        },
        {
            content: "Choose the bills",
            trigger: `${row("INV-UNTRUSTED")} .o_list_record_selector input`,
            run: "click",
        },
        {
            trigger: `${row("INV-FIRST")} .o_list_record_selector input`,
            run: "click",
        },
        {
            trigger: `${row("INV-SECOND")} .o_list_record_selector input`,
            run: "click",
        },
        {
            content: "The action menu offers Send to Bank",
            trigger: ".o_cp_action_menus button:contains(Actions)",
            run: "click",
        },
        {
            trigger: ".o-dropdown--menu .o-dropdown-item:contains(Send to Bank)",
            run: "click",
        },
        {
            content: "One of them has a problem",
            trigger: `${wizard} .alert-warning:contains("can't leave yet")`,
        },
        {
            content: "Leave that one out: the line is edited before its tick is taken",
            trigger: `${wizard} ${row("is on hold")} td[name=due_date]`,
            run: "click",
        },
        {
            trigger: `${wizard} .o_selected_row td[name=selected] input:checked`,
            run: "click",
        },
        {
            content: "Two payments are ready, in one batch",
            trigger: `${wizard}:not(:has(.alert-warning:visible)) [name=summary] td:contains("300.00")`,
        },
        {
            trigger: ".modal button[name=action_send]",
            run: "click",
        },
        {
            content: "The batch waits for somebody else",
            trigger: state("To approve"),
        },
        {
            trigger: '.o_form_view .alert:contains("Waits for approval by Approver")',
        },
        {
            content: "Who prepared does not decide",
            trigger: ".o_form_view:not(:has(button[name=action_approve]))",
        },
        {
            content: "From the batch to its bills",
            trigger: ".o_control_panel button[name=action_view_bills]",
            run: "click",
        },
        {
            trigger: `${row("INV-FIRST")} td[name=ref]`,
            run: "click",
        },
        {
            content: "The bill says where it is, and can't be paid again",
            trigger: '.o_form_view .alert-info:contains("To approve")',
        },
        {
            trigger:
                ".o_form_view:not(:has(button[name=action_send_to_bank])):not(:has(button[name=action_register_payment]))",
        },
    ],
});

tours.add("bank_connect_approve", {
    steps: () => [
        {
            content: "What waits for me",
            trigger: `${row("300.00")} td[name=name]`,
            run: "click",
        },
        {
            content: "I see whom it pays",
            trigger: `.o_form_view ${row("INV-FIRST")}`,
        },
        {
            trigger: ".o_form_view button[name=action_approve]",
            run: "click",
        },
        {
            trigger: state("Approved"),
        },
        {
            content: "My decision is recorded",
            trigger: ".o_notebook .nav-link[name=approvals]",
            run: "click",
        },
        {
            trigger: `[name=approval_ids] ${row("Approved")}`,
        },
        {
            content: "A message was made of it",
            trigger: ".o_control_panel button[name=action_view_messages]",
        },
    ],
});

tours.add("bank_connect_reject", {
    steps: () => [
        {
            trigger: `${row("300.00")} td[name=name]`,
            run: "click",
        },
        {
            trigger: ".o_form_view .o_statusbar_buttons button:contains(Reject)",
            run: "click",
        },
        {
            content: "A reason is needed",
            trigger: ".modal [name=reason] textarea",
            run: "edit The second bill is disputed.",
        },
        {
            trigger: ".modal button[name=action_reject]",
            run: "click",
        },
        {
            trigger: `body:not(:has(.modal)) ${state("Rejected")}`,
        },
        {
            content: "The preparer will read why",
            trigger: '.o_form_view .alert-danger:contains("The second bill is disputed.")',
        },
    ],
});

tours.add("bank_connect_audit", {
    steps: () => [
        {
            content: "Batches can be read, not made",
            trigger: ".o_list_view:not(:has(.o_list_button_add))",
        },
        {
            trigger: `${row("300.00")} td[name=name]`,
            run: "click",
        },
        {
            trigger: state("Approved"),
        },
        {
            content: "Nothing to press but what shows",
            trigger:
                ".o_form_view .o_statusbar_buttons:has(button[name=action_download_message])" +
                ":not(:has(button[name=action_approve])):not(:has(button[name=action_cancel]))",
        },
        {
            trigger: ".o_control_panel button[name=action_view_messages]",
            run: "click",
        },
        {
            trigger: `.o_list_view ${row("To the bank")} td[name=name]`,
            run: "click",
        },
        {
            content: "The document, byte for byte, and as text",
            trigger: ".o_form_view button[name=action_download]",
        },
        {
            trigger: '.o_form_view [name=preview]:contains("CstmrCdtTrfInitn")',
        },
        {
            trigger: ".o_form_view:not(:has(.o_form_editable)):not(:has(button[name=action_ask_bank]))",
        },
    ],
});
