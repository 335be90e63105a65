import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const status = (text) => `.o_statusbar_status .o_arrow_button_current:contains("${text}")`;
const side = (name) => `.o_form_view [name=${name}_side]`;

tours.add("bank_connect_reconciliation_prepare", {
    steps: () => [
        {
            content: "A statement for the account and the end of last month",
            trigger: '.o_list_view button:contains("New statement")',
            run: "click",
        },
        {
            trigger: ".modal button[name=action_open]",
            run: "click",
        },
        {
            content: "The bank's balance on one side, with what only the ledger has",
            trigger: `${side("bank")} [name=book_payment_ids] .o_data_row:contains("Müller")`,
        },
        {
            content: "The ledger's on the other, with what only the bank has",
            trigger: `${side("ledger")} [name=bank_payment_ids] .o_data_row:contains("12.50")`,
        },
        {
            trigger: `${side("bank")}:contains("Adjusted bank balance"):contains("847.50")`,
        },
        {
            content: "What is not explained is said, with where to look",
            trigger: '.o_form_view [name=unexplained]:contains("7.00"):contains("starts with")',
        },
        {
            content: "The number of the account is there to recognise, not to use",
            trigger: '.o_form_view [name=account_masked]:contains("DE89…3000")',
        },
        {
            content: "Each item leads to its entry",
            trigger: `${side("ledger")} [name=bank_payment_ids] .o_data_row:contains("12.50") button[name=action_open_source]`,
            run: "click",
        },
        {
            trigger: '.o_form_view:not(:has([name=bank_side])):contains("12.50")',
        },
        {
            trigger: ".o_breadcrumb .o_back_button a",
            run: "click",
        },
        {
            trigger: ".o_form_view button[name=action_prepare]",
            run: "click",
        },
        {
            trigger: status("Prepared"),
        },
        {
            content: "Who prepared does not review",
            trigger: '.o_form_view:not(:has(button:contains("Sign as reviewer"), button:contains("Sign with a reason")))',
        },
    ],
});

tours.add("bank_connect_reconciliation_review", {
    steps: () => [
        {
            trigger: '.o_data_row:contains("Prepared") td[name=journal_id]',
            run: "click",
        },
        {
            trigger: '.o_form_view [name=unexplained]:contains("7.00")',
        },
        {
            content: "With something unexplained there is no signing without a reason",
            trigger: '.o_form_view:not(:has(button[name=action_countersign])) button:contains("Sign with a reason")',
            run: "click",
        },
        {
            trigger: '.modal:contains("7.00") [name=reason] textarea',
            run: "edit The bank corrects its statement next week.",
        },
        {
            trigger: ".modal button[name=action_countersign]",
            run: "click",
        },
        {
            trigger: status("Reviewed"),
        },
        {
            trigger: '.o_form_view [name=review_reason]:contains("corrects its statement")',
        },
        {
            trigger: ".o_form_view button[name=action_verify]",
            run: "click",
        },
        {
            trigger: '.o_notification:contains("as they were signed")',
        },
    ],
});
