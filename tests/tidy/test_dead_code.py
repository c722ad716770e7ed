"""No code that nothing uses (F29)."""

from __future__ import annotations

from tests.tidy.dead_code import dead_names
from tests.tidy.source import ROOT

KERNEL, OTHER = "queuefront/kernel/a.py", "queuefront/feed/a.py"


def test_the_package_has_no_code_that_nothing_uses() -> None:
    """F29: an unused serialiser, for example, is an error of the lint."""
    files = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in (ROOT / "queuefront").rglob("*.py")}
    found = dead_names(files)
    assert not found, f"{len(found)} findings\n" + "\n".join(found)


def test_an_unused_function_class_constant_or_private_method_is_found() -> None:
    text = (
        "__all__ = ['encode']\nSIZE = 3\ndef encode(): ...\nclass Kept:\n    def _old(self): ...\n    def face(self): ...\n"
    )
    assert dead_names({KERNEL: text}) == [
        f"{KERNEL}:2: SIZE is used nowhere; remove it, or use it",
        f"{KERNEL}:3: encode is used nowhere; remove it, or use it",
        f"{KERNEL}:4: Kept is used nowhere; remove it, or use it",
        f"{KERNEL}:5: _old is used nowhere; remove it, or use it",
    ]


def test_what_is_used_elsewhere_or_listed_by_a_face_is_alive() -> None:
    text = "def encode(): pass\ndef decode(): pass\n"
    face = "from queuefront.kernel.a import encode\n__all__ = ['encode']\n"
    files = {KERNEL: text, "queuefront/kernel/__init__.py": face, "queuefront/cli/b.py": "import x\nx.decode()\n"}
    assert dead_names(files) == []
    del files["queuefront/cli/b.py"]
    assert dead_names(files) == [f"{KERNEL}:2: decode is used nowhere; remove it, or use it"]


def test_a_module_outside_of_execution_may_list_what_is_for_its_users() -> None:
    text = "__all__ = ['encode']\ndef encode(): pass\ndef _helper(): pass\n"
    assert dead_names({OTHER: text}) == [f"{OTHER}:3: _helper is used nowhere; remove it, or use it"]
