import re, os
from datetime import timedelta
from odoo import fields
from odoo.tests import tagged
from .common import MODULE
from .reconciliation_common import ReconciliationCommon
from .tour_common import TourCommon


@tagged("post_install", "-at_install")
class TestZzScratch(ReconciliationCommon, TourCommon):
    def test_picture(self):
        self.company.name = "Nordlicht Handel GmbH"
        self.journal.name = "Commerzbank current account"
        self.preparer.name = "Anna Weber"; self.approver.name = "Li Wei"
        self.entry("2026-08-31", 48250.40)
        v = lambda n, i: self.new_vendor(n, 100 + i)
        a, b, c, d = (v(n, i) for i, n in enumerate(["Druckerei Sommer KG", "Shanghai Textile Co., Ltd.", "Stadtwerke Bonn", "Hotel Adler"]))
        self.pay("2026-08-28", -860, partner=d, memo="Cheque 4711")
        self.statement(48250.40, 48237.90, {"date": "2026-09-30", "amount": -12.50, "payment_ref": "Account fee September"}, name="2026-09")
        first = self.sheet("2026-09-30"); first.action_prepare(); first.with_user(self.approver).action_countersign()
        self.pay("2026-10-29", -4318.20, partner=a, memo="INV-20931")
        self.pay("2026-10-30", -12750.00, partner=b, memo="PI 88-1204")
        self.pay("2026-10-30", 2380.00, partner=c, memo="Deposit")
        self.statement(48237.90, 57291.65, {"date": "2026-10-26", "amount": 5950, "partner_name": "Kaufhaus Rhein AG"}, {"date": "2026-10-28", "amount": 3142.25, "partner_name": "Café Müller"}, {"date": "2026-10-31", "amount": -38.50, "payment_ref": "Account fee October"}, name="2026-10")
        sheet = self.sheet(); sheet.action_prepare(); sheet.with_user(self.approver).action_countersign()
        self.authenticate(self.auditor.login, self.auditor.login)
        html = self.url_open(f"/report/html/{MODULE}.report_reconciliation/{sheet.id}").text
        for href in re.findall(r'<link[^>]*href="([^"]+\.css)"', html):
            css = self.url_open(href).text
            html = html.replace("</head>", f"<style>{css}</style></head>", 1)
        html = re.sub(r"<script.*?</script>|<link[^>]*>", "", html, flags=re.S)
        open("/tmp/balance_sheet.html", "w").write(html)
        open("/tmp/balance_sheet.xlsx", "wb").write(sheet._spreadsheet())
        report = self.env.ref(f"{MODULE}.action_report_reconciliation").with_user(self.auditor)
        open("/tmp/balance_sheet.pdf", "wb").write(report.with_context(force_report_rendering=True)._render_qweb_pdf(report.report_name, sheet.ids)[0])
        self.browser_js(f"/odoo/action-{MODULE}.action_reconciliation/{sheet.id}", """
            const wait = () => { if (document.querySelector('.o_form_view [name=bank_side] .o_data_row')) setTimeout(() => console.log('test successful'), 1500); else setTimeout(wait, 200); }; wait();""", login=self.approver.login, timeout=60,
            success_signal="test successful") if False else None

    def test_pdf(self):
        pass
