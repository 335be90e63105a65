"""The file that the test of conformance needs is found beside the checkout, or not at all."""

from support import prism


def test_the_file_is_found_beside_the_checkout(tmp_path, monkeypatch):
    monkeypatch.delenv("BERLIN_GROUP_OPENAPI", raising=False)
    assert prism.openapi(tmp_path) is None
    (tmp_path / "papers/spec").mkdir(parents=True)
    (tmp_path / "papers/spec/readme.yaml").touch()
    assert prism.openapi(tmp_path) is None
    file = tmp_path / "papers/spec/berlin-group-psd2-1.3.11.openapi.yaml"
    file.touch()
    assert prism.openapi(tmp_path) == file.resolve()
    assert prism.openapi(tmp_path / "papers") is None


def test_who_names_a_file_means_that_one(tmp_path, monkeypatch):
    monkeypatch.setenv("BERLIN_GROUP_OPENAPI", str(tmp_path / "mine.yaml"))
    assert prism.openapi(tmp_path) is None
    (tmp_path / "mine.yaml").touch()
    assert prism.openapi(tmp_path) == (tmp_path / "mine.yaml").resolve()
