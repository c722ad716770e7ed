import hftbacktest

from queuefront.compat import hftbacktest as ours
from queuefront.compat.hftbacktest.recorder import Recorder


def test_the_recorder_is_that_of_the_package() -> None:
    assert Recorder is ours.Recorder


def test_the_version_is_that_of_the_surface() -> None:
    assert ours.__version__ == hftbacktest.__version__
