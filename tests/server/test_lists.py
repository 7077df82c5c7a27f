"""Which list is meant."""

import pytest

from soundfix.server.lists import NoList, kept_list
from soundfix.server.store import Store


@pytest.fixture
def store(tmp_path):
    store = Store.in_folder(tmp_path)
    store.keep_set("hall", "hall.csv", "name,x,y,z")
    yield store
    store.close()


def test_one_that_is_sent_or_one_that_was_kept(store):
    assert kept_list(store, "name,x", None) is None
    assert kept_list(store, None, "hall") == ("hall.csv", "name,x,y,z")


@pytest.mark.parametrize(
    ("sent", "name", "status", "sentence"),
    [
        (None, None, 422, "wanted either"),
        ("x", "hall", 422, "wanted either"),
        (None, "x", 404, "no list of microphones"),
    ],
)
def test_none_two_or_one_that_nobody_kept(store, sent, name, status, sentence):
    with pytest.raises(NoList, match=sentence) as refused:
        kept_list(store, sent, name)
    assert refused.value.status == status
