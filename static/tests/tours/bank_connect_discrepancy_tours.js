import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const row = (text) => `.o_data_row:contains("${text}")`;
const wizard = ".modal .o_form_view";

tours.add("bank_connect_discrepancy_ours", {
    steps: () => [
        {
            content: "The list is grouped by kind, and open: the debit that nobody ordered comes with its sum",
            trigger: '.o_group_header:contains("Debit that nobody ordered")',
        },
        {
            trigger: `${row("75.00 EUR")} td[name=sentence]`,
            run: "click",
        },
        {
            content: "The form says what to do, and shows the three sides",
            trigger: '.o_form_view:contains("Find out today who ordered it")',
        },
        {
            trigger: '.o_bank_figures tr:contains("Amount"):contains("75.00 EUR")',
        },
        {
            content: "Somebody sees to it",
            trigger: "button[name=action_take]",
            run: "click",
        },
        {
            trigger: '.o_field_widget[name=owner_id]:contains("Preparer"), .o_field_widget[name=owner_id] input:value("Preparer")',
        },
        {
            content: "It is the rent",
            trigger: '.o_statusbar_buttons button:contains("This is ours")',
            run: "click",
        },
        {
            trigger: `${wizard} [name=reason] textarea`,
            run: "edit The rent, by standing order at the bank.",
        },
        {
            trigger: `${wizard} [name=remember] input`,
            run: "click",
        },
        {
            trigger: ".modal button[name=action_explain]",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
        {
            trigger: '.o_statusbar_status .o_arrow_button_current:contains("Explained")',
        },
        {
            trigger: '.o_form_view:contains("by standing order at the bank")',
        },
    ],
});

tours.add("bank_connect_discrepancy_barred", {
    steps: () => [
        {
            trigger: '.o_group_header:contains("Booking overdue")',
        },
        {
            trigger: `${row("on no statement")} td[name=sentence]`,
            run: "click",
        },
        {
            content: "Who prepared the payment is told that somebody else explains it",
            trigger: '.o_form_view:contains("somebody else has to explain it"):not(:has(.o_statusbar_buttons button:contains(Explain)))',
        },
    ],
});

tours.add("bank_connect_discrepancy_phone", {
    steps: () => [
        {
            content: "On a phone discrepancies are cards",
            trigger: '.o_kanban_record:contains("75.00 EUR")',
            run: "click",
        },
        {
            trigger: ".o_form_view .o_bank_figures",
        },
    ],
});
