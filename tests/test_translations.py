"""Chinese is complete, and what the pure rooms say can be said in any language."""

import ast
import dataclasses
import re
from pathlib import Path

import polib
from odoo.addons.account_bank_connect.connectors import health, problems
from odoo.addons.account_bank_connect.connectors.interface import (
    FetchError,
    NotSent,
    SettingsError,
    Uncertain,
)
from odoo.addons.account_bank_connect.formats import cancellation, model
from odoo.addons.account_bank_connect.formats.model import Problem
from odoo.addons.account_bank_connect.models import connector_texts, format_texts
from odoo.modules import get_module_path
from odoo.tests import TransactionCase, tagged
from odoo.tools.translate import TranslationModuleReader

from .common import MODULE, BankConnectCommon

HERE = Path(get_module_path(MODULE))
LANGUAGES = ("zh_CN", "zh_TW")
# Names, codes and marks that every language writes alike; Odoo leaves these untranslated.
SAME = {
    "-----BEGIN CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----", "-----BEGIN X509 CRL-----",
    "<wsdl:definitions …", "BIC", "Enter", "IBAN", "ID", "JSON", "SEPA", "SHA-256", "TLS", "UETR",
    "Webhook", "bank_batch_id", "connection_id", "https://", "https://host[:port][/path]", "id",
    "object._file_name()", "pain.001.001.03", "pain.001.001.09",
    "· <span class=\"page\"/> / <span class=\"topage\"/>",
}  # fmt: skip
RE_EXPORT = "export the terms again: see docs/translations.md"


def placeholders(text):
    return sorted(re.findall(r"%(?:\(\w+\))?[a-z]", text))


def tags(text):
    """Elements and the attributes that a program reads; titles are translated."""
    return sorted(re.findall(r"</?\w+|\b(?:class|invisible|name)=\"[^\"]*\"", text))


def constants(pattern, wanted):
    """Every text constant that ``wanted`` finds among the syntax nodes of these files."""
    found = set()
    for path in sorted(HERE.glob(pattern)):
        for node in ast.walk(ast.parse(path.read_text())):
            code = wanted(node)
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                found.add(code.value)
    return found


def problem_code(node):
    """The code in ``fields.add(path, code, text)`` and in ``yield code, text``."""
    if isinstance(node, ast.Call) and len(node.args) > 2:
        called = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        return node.args[1] if called == "add" else None
    if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
        return node.value.elts[0]
    return None


def settings_code(node):
    """The code in ``SettingsError(code, text)``."""
    called = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "SettingsError"
    return node.args[0] if called else None


@tagged("post_install", "-at_install")
class TestTranslations(TransactionCase):
    def terms(self):
        """What Odoo finds to translate in the module, now."""
        rows = TranslationModuleReader(self.env.cr, modules=[MODULE])
        # The checks of the style keep a copy of the module there.
        return {row[4] for row in rows if "/.run/" not in row[2]}

    def test_every_term_is_translated(self):
        terms = self.terms()
        self.assertGreater(len(terms), 900)
        for language in LANGUAGES:
            entries = polib.pofile(str(HERE / "i18n" / f"{language}.po"))
            said = {entry.msgid: entry.msgstr for entry in entries if not entry.obsolete}
            with self.subTest(language):
                self.assertEqual(sorted(terms - set(said)), [], f"new: {RE_EXPORT}")
                self.assertEqual(sorted(set(said) - terms), [], f"gone: {RE_EXPORT}")
                silent = {term for term in terms - SAME if not said[term].strip()}
                self.assertEqual(sorted(silent), [], "not translated")
                self.assertFalse([entry.msgid for entry in entries if entry.fuzzy])

    def test_translations_keep_placeholders_and_elements(self):
        for language in LANGUAGES:
            for entry in polib.pofile(str(HERE / "i18n" / f"{language}.po")):
                if entry.msgstr:
                    with self.subTest(entry.msgid, language=language):
                        self.assertEqual(placeholders(entry.msgstr), placeholders(entry.msgid))
                        self.assertEqual(tags(entry.msgstr), tags(entry.msgid))

    def test_the_template_holds_what_the_languages_hold(self):
        template = polib.pofile(str(HERE / "i18n" / f"{MODULE}.pot"))
        self.assertEqual({entry.msgid for entry in template}, self.terms(), RE_EXPORT)


@tagged("post_install", "-at_install")
class TestTextsByCode(TransactionCase):
    """The sentences of the pure rooms have a twin that can be translated, by their code."""

    def assert_same_english(self, sentence, english):
        """The twin says in English what the room itself says."""
        facts = {name: f"<{name}>" for name in re.findall(r"{(\w+)}", english)}
        said = connector_texts._say(self.env, sentence, facts)
        self.assertEqual(said, english.format_map(facts))

    def test_every_problem_of_a_connector(self):
        self.assertEqual(set(connector_texts.PROBLEMS), set(problems.PROBLEMS))
        for code, (sentence, hint) in connector_texts.PROBLEMS.items():
            with self.subTest(code):
                self.assert_same_english(sentence, problems.PROBLEMS[code].message)
                self.assert_same_english(hint, problems.PROBLEMS[code].hint)

    def test_every_line_of_the_connection_test(self):
        self.assertEqual(set(connector_texts.STEPS), set(health.STEPS))
        self.assertEqual(set(connector_texts.FINDINGS), set(health.FINDINGS))
        for code, title in health.STEPS.items():
            self.assert_same_english(connector_texts.STEPS[code], title)
        for code, (detail, cure) in connector_texts.FINDINGS.items():
            with self.subTest(code):
                self.assert_same_english(detail, health.FINDINGS[code][0])
                self.assert_same_english(cure, health.FINDINGS[code][1])

    def test_every_fault_of_settings(self):
        codes = constants("connectors/**/*.py", settings_code)
        self.assertIn("key_mismatch", codes)
        self.assertEqual(codes, set(connector_texts.SETTINGS))

    def test_every_problem_of_a_payment(self):
        codes = set()
        for name in ("check", "fields"):
            codes |= constants(f"formats/pain001/{name}.py", problem_code)
        self.assertIn("too_long", codes)
        self.assertEqual(codes, set(format_texts.PROBLEMS))

    def test_every_place_in_a_payment_or_its_recall(self):
        parts = (
            model.Address, model.Party, model.Account, model.Agent, model.Remittance,
            model.CreditTransfer, model.PaymentBlock, model.Instruction,
            cancellation.CancelledTransfer, cancellation.CancelledBlock,
            cancellation.CancellationRequest,
        )  # fmt: skip
        words = {field.name for part in parts for field in dataclasses.fields(part)}
        self.assertEqual(sorted(words - set(format_texts.WORDS)), [])

    def test_a_code_that_is_not_known_speaks_english(self):
        outcome = NotSent("new_code", "Something new.", hint="Look there.")
        self.assertEqual(connector_texts.message(self.env, outcome), "Something new.")
        self.assertEqual(connector_texts.hint(self.env, outcome), "Look there.")
        error = SettingsError("new_code", "Something new.")
        self.assertEqual(connector_texts.settings_error(self.env, error), "Something new.")
        problem = Problem(path="x", code="new_code", message="something new")
        self.assertEqual(format_texts.problem_text(self.env, problem), "Something new")


@tagged("post_install", "-at_install")
class TestChinese(BankConnectCommon):
    """A company that works in Chinese reads Chinese, whoever or whatever wrote it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for language in LANGUAGES:
            cls.env["res.lang"]._activate_lang(language)

    def speaking(self, language):
        return self.env(context={**self.env.context, "lang": language})

    def test_what_a_connector_found(self):
        outcome = problems.build(NotSent, "dns", host="bank.example")
        for language, said in (
            ("zh_CN", "无法解析名称 bank.example。"),
            ("zh_TW", "無法解析名稱 bank.example。"),
        ):
            self.assertEqual(connector_texts.message(self.speaking(language), outcome), said)

    def test_reading_leaves_nothing_in_doubt(self):
        """The advice after a failed read is not that after a failed sending."""
        env = self.speaking("zh_CN")
        sending = problems.build(Uncertain, "read_timeout", host="bank.example")
        reading = problems.build(FetchError, "read_timeout", host="bank.example")
        self.assertIn("查明", connector_texts.hint(env, sending))
        self.assertIn("再次尝试", connector_texts.hint(env, reading))

    def test_what_keeps_a_payment_from_leaving(self):
        problem = Problem(
            path="blocks[0].transfers[3].creditor.address.town", code="too_long",
            message="…", facts={"length": 40, "most": 35},
        )  # fmt: skip
        said = format_texts.problem_text(self.speaking("zh_CN"), problem)
        self.assertEqual(said, "收款人 地址 城市：过长：40，最多允许 35。")

    def test_what_a_scheduled_action_notes_down(self):
        """It runs in no language of its own: its company's is taken."""
        self.company.partner_id.lang = "zh_CN"
        message = self.message_of(self.approved(self.new_bill(100)))
        self.bank.on_submit = [problems.build(NotSent, "dns", host="bank.example")]
        self.run_cron("send")
        self.assertIn("无法解析名称 bank.example。", message.error)
        self.assertIn("DNS", message.error)
        self.assertEqual(self.connection.last_error, "无法解析名称 bank.example。")
