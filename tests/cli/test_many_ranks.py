"""Sixty-four ranks decide what one does. Apart, for it fills the machine."""
import harness
from harness import Config, is_sanitized, session
from same import ONE, SameCase


def many():
    """Sanitized ranks are slow to start."""
    return 16 if is_sanitized(Config.program) else 64


class ManyRanks(SameCase):
    def test_all_readers(self):
        self.assert_same(session(40, 16, seed=13), [(None, ()), (many(), ())],
                         least_plans=50, at_once=1)

    def test_one_reader(self):
        self.assert_same(session(90, 12, seed=14), [(None, ()), (many(), ONE)],
                         least_plans=50, at_once=1)


if __name__ == "__main__":
    harness.main()
