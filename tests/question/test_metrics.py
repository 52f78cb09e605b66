import pytest

from qua3ck.kit.errors import Qua3ckError
from qua3ck.question import METRICS, metric


def test_a_misspelt_metric_gets_the_nearest_name_the_place_and_the_list():
    with pytest.raises(Qua3ckError) as caught:
        metric("acuracy", where="stock/qua3ck.yaml, line 7")
    assert 'did you mean "accuracy"' in caught.value.what
    assert caught.value.where == "stock/qua3ck.yaml, line 7"
    assert "macro_f1" in caught.value.fix


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_explained_in_a_sentence(name):
    found = metric(name, where="here")
    assert found.name == name
    assert found.definition.endswith(".")
    assert found.low < found.high
    assert found.tasks
