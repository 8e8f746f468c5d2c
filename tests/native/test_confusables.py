from __future__ import annotations

from fechatter.native import skeleton


def test_skeletons_are_those_of_unicode() -> None:
    assert skeleton("paypal") == skeleton("раураl") == skeleton("ｐaypal".replace("ｐ", "р"))
    assert skeleton("rn") == skeleton("m")
    assert skeleton("") == ""
    assert skeleton("李") == "李"
