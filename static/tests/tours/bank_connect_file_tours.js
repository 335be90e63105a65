import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

const statement = `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>T1</MsgId><CreDtTm>2026-11-23T18:00:00</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-23</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-23</Dt></Dt></Bal>
</Stmt></BkToCstmrStmt></Document>`;

tours.add("bank_connect_file_carry", {
    steps: () => [
        {
            content: "The file waits",
            trigger: '.o_data_row:contains("Queued") td[name=name]',
            run: "click",
        },
        {
            trigger: '.o_form_view .alert:contains("waits to be carried")',
        },
        {
            content: "Take it out",
            trigger: "button[name=action_download]",
            run: "click",
        },
        {
            // The download leaves the page as it is.
            trigger: ".breadcrumb-item a, .o_back_button a",
            run: "click",
        },
        {
            trigger: '.o_data_row:contains("Sending") td[name=name]',
            run: "click",
        },
        {
            content: "Say that the bank has it in its hands",
            trigger: "button[name=action_handed_over]",
            run: "click",
        },
        {
            trigger: '.o_form_view .alert:contains("handed the file to the bank")',
        },
    ],
});

tours.add("bank_connect_file_drop", {
    steps: () => [
        {
            content: "Drop two files at once on the list",
            trigger: ".o_list_view:has(.document_file_uploader) .o_list_renderer",
            run() {
                const files = new DataTransfer();
                files.items.add(new File([statement], "statement.xml", { type: "text/xml" }));
                files.items.add(new File(["Dear customer"], "letter.txt", { type: "text/plain" }));
                const list = document.querySelector(".o_list_renderer");
                const drag = { dataTransfer: files, bubbles: true, cancelable: true };
                list.dispatchEvent(new DragEvent("dragenter", drag));
            },
        },
        {
            trigger: '.o_drop_area:contains("Drop the bank")',
            run() {
                const files = new DataTransfer();
                files.items.add(new File([statement], "statement.xml", { type: "text/xml" }));
                files.items.add(new File(["Dear customer"], "letter.txt", { type: "text/plain" }));
                document
                    .querySelector(".o_drop_area")
                    .dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
            },
        },
        {
            content: "Of each file it is said what became of it",
            trigger: '.modal .o_data_row:contains("statement.xml"):contains("Taken in for")',
        },
        {
            trigger: '.modal .o_data_row:contains("letter.txt"):contains("Not taken in")',
        },
        {
            trigger: '.modal button:contains("Close")',
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
    ],
});
