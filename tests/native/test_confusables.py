"""Skeletons of names that look alike."""

from fechatter.native import skeleton


def test_texts_that_look_alike_have_the_same_skeleton() -> None:
    assert skeleton("paypal") == skeleton("раураl") == skeleton("ｐaypal".replace("ｐ", "р"))
    assert skeleton("rn") == skeleton("m")
    assert skeleton("") == ""
    assert skeleton("李") == "李"
