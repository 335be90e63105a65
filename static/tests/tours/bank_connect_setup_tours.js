import { registry } from "@web/core/registry";

const step = (name) => `.o_statusbar_status .o_arrow_button_current:contains("${name}")`;

registry.category("web_tour.tours").add("bank_connect_setup", {
    steps: () => [
        {
            content: "The first step asks for the bank",
            trigger: "[name=name] input",
            run: "edit Bank by tour",
        },
        {
            trigger: "[name=url] input",
            run: "edit https://bank.example",
        },
        {
            trigger: "button[name=action_next]",
            run: "click",
        },
        {
            content: "Then for the contract",
            trigger: step("Contract"),
        },
        {
            trigger: "[name=contract_code] input",
            run: "edit CORP-TOUR",
        },
        {
            trigger: "button[name=action_next]",
            run: "click",
        },
        {
            trigger: step("Our keys"),
        },
        {
            content: "A key is made here",
            trigger: "button[name=action_make_key]",
            run: "click",
        },
        {
            trigger: ".modal [name=algorithm] select, .modal [name=algorithm] input",
        },
        {
            trigger: ".modal button[name=action_make]",
            run: "click",
        },
        {
            content: "Its request is shown, to be given to the bank",
            trigger: '.modal [name=request]:contains("BEGIN CERTIFICATE REQUEST")',
        },
        {
            trigger: '.modal button:contains("Close")',
            run: "click",
        },
        {
            content: "It waits for the bank's answer",
            trigger: '[name=bank_certificate_ids] .o_data_row:contains("Waits for the bank")',
        },
    ],
});
