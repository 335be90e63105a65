"""Large files take the road of small ones."""


def test_a_file_of_five_thousand_payments_is_paid_in_one_batch(bank, enrol, pain001, iban):
    customer = enrol(bank, accounts=(":EUR:1000000.00",))
    creditors = [iban("DE", None, n) for n in range(50)]
    rows = [(f"V-{n}", creditors[n % 50], "1.10") for n in range(5000)]
    customer.send(pain001(customer.iban, rows, batch=True, version="09").bytes())
    settled = customer.documents("pain.002")[-1]
    assert settled.one("//GrpSts") == "ACSC"
    assert settled.texts("//OrgnlEndToEndId") == [row[0] for row in rows]
    bank.advance(end_of_day=True)
    statement, = customer.documents("camt.053")
    assert statement.one("//Ntry/Amt") == "5500.00"
    assert len(statement("//TxDtls")) == 5000
    assert bank.balance(customer.iban) == "994500.00"


def test_a_file_of_many_single_bookings_is_paid(bank, enrol, pain001, iban):
    customer = enrol(bank, accounts=(":EUR:1000000.00",))
    rows = [(f"V-{n}", iban("DE", None, n % 50), "1.10") for n in range(2000)]
    customer.send(pain001(customer.iban, rows).bytes())
    bank.advance(end_of_day=True)
    statement, = customer.documents("camt.053")
    assert len(statement("//Ntry")) == 2000
    assert bank.balance(customer.iban) == "997800.00"
