import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const row = (text) => `.o_data_row:contains("${text}")`;
const card = (text) => `.o_kanban_record:contains("${text}")`;
const tab = (name) => `.o_notebook .nav-link[name=${name}]`;

/** Fail when something is wider than the window: a phone would have to scroll sideways. */
const fitsInWidth = (place) => ({
    content: `All of ${place} is within the width of the window`,
    trigger: place,
    run() {
        const window_ = document.documentElement.clientWidth;
        for (const element of document.querySelectorAll(`${place}, ${place} *`)) {
            const box = element.getBoundingClientRect();
            const scrolls = element.closest(".o_notebook_headers, .o_statusbar_status");
            if (box.width && box.right > window_ + 1 && !scrolls) {
                throw new Error(`${element.outerHTML.slice(0, 200)} ends at ${box.right}`);
            }
        }
    },
});

tours.add("bank_connect_decide", {
    steps: () => [
        {
            content: "The menu counts what waits for me, and opens it",
            trigger: '.o_menu_systray .o_bank_connect_waiting .badge:contains("1")',
        },
        {
            trigger: ".o_menu_systray .o_bank_connect_waiting",
            run: "click",
        },
        {
            trigger: '.o_searchview_facet:contains("Waits for me")',
        },
        {
            trigger: `${row("600.00")} td[name=name]`,
            run: "click",
        },
        {
            content: "What deserves a look is said first",
            trigger: '.o_form_view .alert:contains("First payment × 2")',
        },
        {
            content: "Beside each payment as well",
            trigger: `[name=payment_ids] ${row("INV-BIG")} [name=bank_flag_ids]:contains("First payment")`,
        },
        {
            trigger: tab("flags"),
            run: "click",
        },
        {
            content: "With the reason in words",
            trigger: `[name=flag_ids] ${row("The account's holder is Ivan Petrov")}`,
        },
        {
            trigger: tab("payees"),
            run: "click",
        },
        {
            content: "What each payee gets",
            trigger: `[name=payee_ids] ${row("500.00")}`,
        },
        {
            trigger: tab("payments"),
            run: "click",
        },
        {
            content: "This one is not paid",
            trigger: `[name=payment_ids] ${row("INV-BIG")} button[name=action_bank_reject]`,
            run: "click",
        },
        {
            trigger: `.modal [name=payment_ids] ${row("INV-BIG")}`,
        },
        {
            trigger: '.modal:contains("The rest is sealed again")',
        },
        {
            trigger: ".modal [name=reason] textarea",
            run: "edit Ordered by nobody.",
        },
        {
            trigger: ".modal button[name=action_reject]",
            run: "click",
        },
        {
            content: "It left the batch",
            trigger: `body:not(:has(.modal)) [name=payment_ids]:not(:has(${row("INV-BIG")}))`,
        },
        {
            trigger: `.o_form_view .oe_title:contains("100.00")`,
        },
        {
            trigger: tab("rejected"),
            run: "click",
        },
        {
            trigger: `[name=rejected_payment_ids] ${row("Ordered by nobody.")}`,
        },
        {
            content: "The rest may leave",
            trigger: ".o_form_view button[name=action_approve]",
            run: "click",
        },
        {
            trigger: '.o_statusbar_status .o_arrow_button_current:contains("Approved")',
        },
        {
            content: "Nothing waits for me any more",
            trigger: ".o_menu_systray:not(:has(.o_bank_connect_waiting))",
        },
    ],
});

tours.add("bank_connect_decide_on_phone", {
    steps: () => [
        {
            content: "Batches are cards; what deserves a look is on them",
            trigger: `${card("600.00")}:contains("First payment × 2")`,
        },
        fitsInWidth(".o_kanban_view"),
        {
            trigger: card("600.00"),
            run: "click",
        },
        {
            trigger: '.o_form_view .alert:contains("First payment × 2")',
        },
        fitsInWidth(".o_form_view .o_form_sheet"),
        {
            content: "Payments are cards as well, each with what is to be said about it",
            trigger: `[name=payment_ids] ${card("INV-BIG")}:contains("The account's holder is Ivan Petrov")`,
        },
        {
            content: "Its bill is one tap away",
            trigger: `[name=payment_ids] ${card("INV-BIG")} a[name=action_bank_open_document]`,
        },
        {
            trigger: `[name=payment_ids] ${card("INV-BIG")} a[name=action_bank_reject]`,
            run: "click",
        },
        {
            trigger: `.modal [name=payment_ids] ${card("INV-BIG")}`,
        },
        fitsInWidth(".modal .o_form_view"),
        {
            trigger: ".modal [name=reason] textarea",
            run: "edit Ordered by nobody.",
        },
        {
            trigger: ".modal button[name=action_reject]",
            run: "click",
        },
        {
            trigger: `body:not(:has(.modal)) [name=payment_ids]:not(:has(${card("INV-BIG")}))`,
        },
        {
            trigger: ".o_form_view button[name=action_approve]",
            run: "click",
        },
        {
            trigger: ".o_form_view:not(:has(button[name=action_approve]))",
        },
        {
            trigger: '.o_statusbar_status:contains("Approved")',
        },
    ],
});

tours.add("bank_connect_look", {
    steps: () => [
        {
            trigger: `${row("600.00")} td[name=name]`,
            run: "click",
        },
        {
            content: "An auditor sees what the approver sees",
            trigger: '.o_form_view .alert:contains("First payment × 2")',
        },
        {
            trigger: `[name=payment_ids] ${row("INV-BIG")} button[name=action_bank_open_document]`,
        },
        {
            trigger: tab("flags"),
            run: "click",
        },
        {
            trigger: `[name=flag_ids] ${row("The account's holder is Ivan Petrov")}`,
        },
        {
            content: "And decides nothing",
            trigger:
                ".o_form_view:not(:has(button[name=action_approve])):not(:has([name=action_bank_reject]))" +
                ':not(:has(.o_statusbar_buttons button:contains("Reject")))',
        },
        {
            content: "No counter: nothing waits for an auditor",
            trigger: ".o_menu_systray:not(:has(.o_bank_connect_waiting))",
        },
    ],
});

tours.add("bank_connect_read_rejection", {
    steps: () => [
        {
            trigger: `${row("100.00")} td[name=name]`,
            run: "click",
        },
        {
            content: "The preparer has a task that says what and why",
            trigger: '.o-mail-Activity:contains("One payment of")',
        },
        {
            trigger: tab("rejected"),
            run: "click",
        },
        {
            trigger: `[name=rejected_payment_ids] ${row("Ordered by nobody.")}`,
        },
        {
            content: "Whoever prepared decides nothing",
            trigger:
                ".o_form_view:not(:has(button[name=action_approve])):not(:has([name=action_bank_reject]))",
        },
    ],
});
