import { registry } from "@web/core/registry";
import { inputFiles } from "@web/../tests/utils";

const tours = registry.category("web_tour.tours");

const row = (text) => `.o_data_row:contains("${text}")`;
const wizard = ".modal .o_form_view";

const seen = [
    {
        content: "The vault says how long nobody has known, how much hangs on it, and what was tried",
        trigger: `${row("5 h")}:contains("100.00"):contains("did not answer in time")`,
    },
];

tours.add("bank_connect_uncertain_ask", {
    steps: () => [
        ...seen,
        {
            content: "Choose it",
            trigger: `${row("5 h")} .o_list_record_selector input`,
            run: "click",
        },
        {
            content: "Ask the bank",
            trigger: ".o_control_panel button[name=action_ask_bank], .o_list_view button[name=action_ask_bank]",
            run: "click",
        },
        {
            content: "The bank is being asked",
            trigger: ".o_notification",
        },
    ],
});

tours.add("bank_connect_uncertain_propose", {
    steps: () => [
        ...seen,
        {
            content: "The bank was called, and has it",
            trigger: `${row("5 h")} button:contains(Resolve)`,
            run: "click",
        },
        {
            trigger: `${wizard} .o_field_radio label:contains("The bank has it")`,
            run: "click",
        },
        {
            trigger: `${wizard} [name=note] textarea`,
            run: "edit Ms Weber of the bank's desk, this morning: received at 10:02.",
        },
        {
            content: "Without evidence nothing is proposed",
            trigger: ".modal button[name=action_propose]",
            run: "click",
        },
        {
            trigger: ".modal .modal-body:contains(attach the evidence)",
        },
        {
            trigger: ".modal:contains(attach the evidence) button:contains(Close), .modal:contains(attach the evidence) .btn-close",
            run: "click",
        },
        {
            content: "Attach the bank's mail",
            trigger: `${wizard} [name=evidence_ids]`,
            async run() {
                const mail = new File(["we have it"], "mail from the bank.txt", { type: "text/plain" });
                await inputFiles(".modal [name=evidence_ids] input[type=file]", [mail]);
            },
        },
        {
            trigger: `${wizard} [name=evidence_ids]:contains(mail from the bank)`,
        },
        {
            trigger: ".modal button[name=action_propose]",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
    ],
});

tours.add("bank_connect_uncertain_own", {
    steps: () => [
        {
            content: "Who proposed it finds no button to confirm",
            trigger: `${row("The bank has it")} td[name=verdict]`,
            run: "click",
        },
        {
            trigger: ".o_form_view:contains(Ms Weber):not(:has(button[name=action_confirm]))",
        },
    ],
});

tours.add("bank_connect_uncertain_confirm", {
    steps: () => [
        {
            content: "A second person reads what was found out",
            trigger: `${row("The bank has it")} td[name=verdict]`,
            run: "click",
        },
        {
            trigger: ".o_form_view:contains(Ms Weber):contains(mail from the bank)",
        },
        {
            content: "… and agrees",
            trigger: "button[name=action_confirm]",
            run: "click",
        },
        {
            trigger: '.o_statusbar_status .o_arrow_button_current:contains("Confirmed")',
        },
    ],
});
