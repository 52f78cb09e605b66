from __future__ import annotations

import pytest

from qua3ck.operate.records import (
    Arm,
    Canary,
    Fallback,
    Limits,
    Log,
    Routing,
    ServePlan,
    Tls,
    read_plan,
    write_plan,
)

PLANS = {
    "as short as can be": ServePlan(root="/srv/shop", project="shop", project_id="ab12"),
    "everything said": ServePlan(
        root="/srv/shop", project="shop", project_id="ab12", host="0.0.0.0", port=1, workers=4,  # noqa: S104
        key="applicant", ab_share=0.1, refuse_outside=("income",),
        canary=Canary(60.0, 0.01, 50.0, 0.05), fallback=Fallback("income < 3", "bad", "good"),
        limits=Limits(1, 2, 3.0), log=Log(True, ("name", "phone"), "/keys/x.key"),
        tls=Tls("/a.pem", "/b.pem"), keys_required=True, actor="ana", may_promote=True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_a_plan_comes_back_as_it_was_written(plan, tmp_path):
    write_plan(plan, tmp_path / "plan.json")
    assert read_plan(tmp_path / "plan.json") == plan


def test_a_plan_tells_nothing_that_it_does_not_hold(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text('{"root": "/srv", "project": "shop", "unknown": 1}')
    with pytest.raises((KeyError, TypeError)):
        read_plan(path)


def test_a_fallback_is_declared_if_it_has_an_answer():
    assert Fallback(otherwise="refer").declared
    assert not Fallback(reason="off").declared


def test_a_routing_needs_its_shadow_loaded_too():
    assert Routing((Arm("champion", 2, 1.0),), Arm("shadow", 3, 1.0)).versions == {2, 3}
