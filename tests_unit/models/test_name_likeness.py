"""Names that are the same to a person, and names that are not."""

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

# By its path: the package around it imports odoo.
_path = Path(__file__).parents[2] / "models" / "name_likeness.py"
_spec = importlib.util.spec_from_file_location("name_likeness", _path)
name_likeness = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(name_likeness)
likeness = name_likeness.likeness

LIMIT = 0.8  # what the module's flag takes unless told otherwise


@pytest.mark.parametrize(
    ("vendor", "holder"),
    [
        ("Müller & Söhne GmbH", "MUELLER + SOEHNE"),
        ("Müller & Söhne GmbH", "Muller und Sohne G.m.b.H."),
        ("Société Générale S.A.", "SOCIETE GENERALE"),
        ("Crème Brûlée SARL", "Creme Brulee S.A.R.L."),
        ("Ørsted A/S", "Orsted"),
        ("Acme Corporation", "ACME Corp."),
        ("Jane Doe", "Doe, Jane"),
        ("Deutsche Telekom AG", "Deutsche Telekom Bonn"),
        ("Straßenbau Weiß OHG", "STRASSENBAU WEISS"),
        ("Kowalski Sp. z o.o.", "KOWALSKI SP Z OO"),
        ("ＡＣＭＥ　Ｌｔｄ", "Acme"),
        ("深圳市腾讯计算机系统有限公司", "深圳市腾讯计算机系统"),
        ("华为技术有限公司", "华为技术有限公司（深圳）"),
        ("トヨタ自動車株式会社", "トヨタ自動車"),
        ("삼성전자 주식회사", "삼성전자"),
    ],
)
def test_the_same_payee_written_differently(vendor, holder):
    assert likeness(vendor, holder) >= LIMIT


@pytest.mark.parametrize(
    ("vendor", "holder"),
    [
        ("Müller & Söhne GmbH", "Ivan Petrov"),
        ("Acme GmbH", "Zenith GmbH"),
        ("Deutsche Telekom AG", "Deutsche Bank AG"),
        ("Müller Bau GmbH", "Anna Müller"),
        ("Müller & Söhne GmbH", "Müller"),
        ("华为技术有限公司", "小米科技有限公司"),
        ("李明", "李明轩公司王"),
        ("华为技术有限公司", "Huawei Technologies"),  # can't be compared: a person has to look
        ("Acme", ""),
    ],
)
def test_another_payee(vendor, holder):
    assert likeness(vendor, holder) < LIMIT


def test_a_name_of_nothing_but_a_legal_form_is_compared_as_it_is():
    assert likeness("Limited", "Limited") == 1.0
    assert likeness("公司", "公司") == 1.0


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_have_a_likeness_and_none_crashes(one, other):
    assert 0.0 <= likeness(one, other) <= 1.0


@given(st.text(alphabet=st.characters(whitelist_categories=("Lu", "Ll", "Lo")), min_size=1))
def test_a_name_is_like_itself(name):
    assert likeness(name, name) == 1.0
