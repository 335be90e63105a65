import { registry } from "@web/core/registry";

const card = (text) => `.o_kanban_record:contains("${text}")`;

registry.category("web_tour.tours").add("bank_connect_day", {
    steps: () => [
        {
            content: "What failed comes first, with what to do about it",
            trigger: `.o_kanban_record:first:contains("Payments that the bank rejected"):contains("Put right what the bank says")`,
        },
        {
            content: "A phone need not scroll sideways",
            trigger: card("Bank bookings to reconcile"),
            run() {
                const width = document.documentElement.clientWidth;
                for (const element of document.querySelectorAll(".o_kanban_record *")) {
                    const box = element.getBoundingClientRect();
                    if (box.width && box.right > width + 1) {
                        throw new Error(`${element.outerHTML.slice(0, 200)} ends at ${box.right}`);
                    }
                }
            },
        },
        {
            content: "One touch opens the list behind the figure",
            trigger: card("Bank bookings to reconcile"),
            run: "click",
        },
        {
            trigger: '.o_kanban_record:contains("Account fee"), .o_data_row:contains("Account fee")',
        },
    ],
});
