"""An extension that was built from other sources is refused."""

from pathlib import Path

import pytest

from fechatter import native

FILES = ["Cargo.lock", "Cargo.toml", "native/Cargo.toml", "native/build.rs", "native/src/lib.rs", "native/src/a/b.rs"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the source files of an extension."""
    for name in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def test_this_extension_was_built_from_the_sources_of_the_checkout() -> None:
    assert native.source_hash(Path(native.__file__).parent.parent) == native.SOURCE_HASH


@pytest.mark.parametrize("name", FILES)
def test_a_changed_source_file_is_detected(checkout: Path, name: str) -> None:
    built_from = native.source_hash(checkout)
    native.check_build(checkout, built_from)
    (checkout / name).write_text("changed")
    with pytest.raises(ImportError, match="make setup"):
        native.check_build(checkout, built_from)


def test_a_renamed_source_file_is_detected(checkout: Path) -> None:
    built_from = native.source_hash(checkout)
    (checkout / "native/src/a/b.rs").rename(checkout / "native/src/a/c.rs")
    assert native.source_hash(checkout) != built_from


def test_an_installed_extension_is_not_compared_with_sources(tmp_path: Path) -> None:
    native.check_build(tmp_path, "whatever")
