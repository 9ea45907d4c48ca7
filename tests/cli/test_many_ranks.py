"""Sixty-four ranks decide what one does. Apart, for it fills the machine."""
import harness
from harness import session
from same import ONE, SameCase


class ManyRanks(SameCase):
    def test_all_readers(self):
        self.assert_same(session(40, 12, seed=13), [(None, ()), (64, ())],
                         least_plans=50, at_once=1)

    def test_one_reader(self):
        self.assert_same(session(90, 6, seed=14), [(None, ()), (64, ONE)],
                         least_plans=50, at_once=1)


if __name__ == "__main__":
    harness.main()
