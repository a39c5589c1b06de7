import cProfile, pstats
from tests.support.story import story
def test_p(databases):
    with story(databases): pass
    pr=cProfile.Profile(); pr.enable()
    with story(databases): pass
    pr.disable(); pstats.Stats(pr).sort_stats("cumtime").print_stats(45)
