import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const line = (text) => `.o_bank_reconcile_line:contains("${text}")`;
const active = (text) => `.o_bank_reconcile_line.active:contains("${text}")`;
const detail = (text) => `.o_bank_reconcile_detail:contains("${text}")`;
const found = (text) => `.o_bank_reconcile_item:contains("${text}")`;
const choice = (text) => `.o-autocomplete--dropdown-item:contains("${text}")`;

tours.add("bank_connect_reconcile_keys", {
    steps: () => [
        {
            content: "The newest booking is looked at, its suggestion is ready",
            trigger: `${active("100.00")}:has(.o_bank_reconcile_score)`,
        },
        {
            trigger: `.o_bank_reconcile_part:contains("INV-ONE")`,
        },
        {
            content: "Next and back again by keys",
            trigger: ".o_bank_reconcile_detail",
            run: "press j",
        },
        {
            trigger: active("A second booking"),
            run: "press ArrowUp",
        },
        {
            content: "Enter confirms",
            trigger: active("100.00"),
            run: "press Enter",
        },
        {
            content: "It is done, and the next one is looked at",
            trigger: `.o_bank_reconcile_line.o_done:contains("100.00")`,
        },
        {
            trigger: active("A second booking"),
            run: "press u",
        },
        {
            content: "Undone: it waits again",
            trigger: `${active("100.00")}:not(.o_done)`,
            run: "press h",
        },
        {
            content: "The keys are listed",
            trigger: ".modal .o_bank_reconcile_keys kbd:contains(J K)",
        },
        {
            trigger: ".modal footer button:contains(Close)",
            run: "click",
        },
        {
            trigger: `body:not(:has(.modal)) ${line("A second booking")}`,
            run: "click",
        },
        {
            content: "Nothing fits this one: it is written off",
            trigger: `${active("A second booking")}`,
            run: "press w",
        },
        {
            trigger: ".o_bank_reconcile_account input:focus",
            run: "edit 628900",
        },
        {
            trigger: choice("Bank charges"),
            run: "click",
        },
        {
            trigger: ".o_bank_reconcile_add",
            run: "click",
        },
        {
            trigger: `.o_bank_reconcile_part:contains("Bank charges")`,
            run: "press Enter",
        },
        {
            trigger: `.o_bank_reconcile_line.o_done:contains("A second booking")`,
        },
    ],
});

tours.add("bank_connect_reconcile_split", {
    steps: () => [
        {
            trigger: active("150.00"),
        },
        {
            trigger: ".o_bank_reconcile_none",
            run: "press s",
        },
        {
            content: "One bill by its reference",
            trigger: ".o_bank_reconcile_search input:focus",
            run: "edit WHOLE",
        },
        {
            trigger: `.o_bank_reconcile_found:not(:contains("INV-PART")) ${found("INV-WHOLE")}`,
            run: "click",
        },
        {
            trigger: `.o_bank_reconcile_part:contains("INV-WHOLE")`,
        },
        {
            content: "And another by its amount",
            trigger: ".o_bank_reconcile_search input",
            run: "edit 80.00",
        },
        {
            trigger: `.o_bank_reconcile_found:not(:contains("INV-WHOLE")) ${found("INV-PART")}`,
            run: "click",
        },
        {
            content: "Of the second as much as the booking still covers; nothing is left",
            trigger: `.o_bank_reconcile_detail:not(:has(.o_bank_reconcile_rest)) .o_bank_reconcile_part:contains("INV-PART")`,
        },
        {
            trigger: ".o_bank_reconcile_search button:contains(Close)",
            run: "click",
        },
        {
            content: "Ten less of the first",
            trigger: `.o_bank_reconcile_part:contains("INV-WHOLE") input`,
            run: "edit 90 && press Enter",
        },
        {
            trigger: `.o_bank_reconcile_rest:contains("10.00")`,
        },
        {
            content: "Ten more of the second",
            trigger: `.o_bank_reconcile_part:contains("INV-PART") input`,
            run: "edit 60 && press Enter",
        },
        {
            trigger: ".o_bank_reconcile_detail:not(:has(.o_bank_reconcile_rest)) .o_bank_reconcile_confirm",
            run: "click",
        },
        {
            trigger: `.o_bank_reconcile_line.o_done:contains("150.00")`,
        },
    ],
});

tours.add("bank_connect_reconcile_write_off", {
    steps: () => [
        {
            trigger: active("11/2026"),
        },
        {
            trigger: ".o_bank_reconcile_none",
            run: "press w",
        },
        {
            trigger: ".o_bank_reconcile_account input:focus",
            run: "edit Bank charges",
        },
        {
            trigger: choice("Bank charges"),
            run: "click",
        },
        {
            trigger: ".o_bank_reconcile_taxes input",
            run: "edit 19%",
        },
        {
            trigger: choice("19% purchase"),
            run: "click",
        },
        {
            trigger: ".o_bank_reconcile_write_off .o_tag:contains(19% purchase)",
        },
        {
            trigger: ".o_bank_reconcile_add",
            run: "click",
        },
        {
            content: "Bookings like this one come every month: make a rule of it",
            trigger: ".o_bank_reconcile_make_rule",
            run: "click",
        },
        {
            content: "It is tried before it is saved",
            trigger: `.modal [name=trial]:contains("Matches 2 of the last 2 bookings.")`,
        },
        {
            trigger: ".modal .o_form_button_save",
            run: "click",
        },
        {
            content: "What was put together is booked",
            trigger: "body:not(:has(.modal)) .o_bank_reconcile_confirm",
            run: "click",
        },
        {
            trigger: `.o_bank_reconcile_line.o_done:contains("11/2026")`,
        },
        {
            content: "The rule suggests the same for the other one; all sure ones at once",
            trigger: `${active("10/2026")}:has(.o_bank_reconcile_score)`,
            run: "press b",
        },
        {
            trigger: `.modal .o_bank_reconcile_count:contains("1 of 1 open bookings")`,
        },
        {
            trigger: ".modal .o_bank_reconcile_confirm_many",
            run: "click",
        },
        {
            trigger: `.modal .o_bank_reconcile_booked_many:contains("1 booked")`,
        },
        {
            trigger: ".modal footer button:contains(Close)",
            run: "click",
        },
        {
            content: "Nothing is left to treat",
            trigger: ".o_view_nocontent",
        },
    ],
});

tours.add("bank_connect_reconcile_partner", {
    steps: () => [
        {
            trigger: active("MUELLER"),
            run: "press p",
        },
        {
            trigger: ".o_bank_reconcile_partner input:focus",
            run: "edit Müller",
        },
        {
            trigger: choice("Müller"),
            run: "click",
        },
        {
            trigger: ".o_bank_reconcile_partner input[type=checkbox]:checked",
        },
        {
            trigger: ".o_bank_reconcile_save_partner",
            run: "click",
        },
        {
            trigger: `${active("Müller & Söhne")}`,
        },
        {
            trigger: `.o_notification:contains("Remembered")`,
        },
    ],
});

tours.add("bank_connect_reconcile_reader", {
    steps: () => [
        {
            trigger: `${detail("Invoice")}:not(:has(.o_bank_reconcile_confirm))`,
        },
        {
            trigger: `body:not(:has(.o_bank_reconcile_batch)) ${active("Invoice")}`,
            run: "press w",
        },
        {
            content: "No key opens what is not theirs to do",
            trigger: ".o_bank_reconcile_detail:not(:has(.o_bank_reconcile_write_off))",
        },
    ],
});

tours.add("bank_connect_reconcile_phone", {
    steps: () => [
        {
            content: "The list alone",
            trigger: `.o_bank_reconcile:not(:has(.o_bank_reconcile_detail)) ${line("100.00")}`,
            run: "click",
        },
        {
            content: "The booking alone",
            trigger: `.o_bank_reconcile:not(:has(.o_bank_reconcile_list)) .o_bank_reconcile_part:contains("INV-ONE")`,
        },
        {
            content: "Back and again",
            trigger: ".o_bank_reconcile_back",
            run: "click",
        },
        {
            trigger: line("100.00"),
            run: "click",
        },
        {
            trigger: ".o_bank_reconcile_confirm:enabled",
            run: "click",
        },
        {
            content: "Done, and back in the list",
            trigger: `.o_bank_reconcile_line.o_done:contains("100.00")`,
        },
    ],
});
