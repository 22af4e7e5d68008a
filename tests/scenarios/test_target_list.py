"""Load goes only where people have reviewed it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.errors import HarnessError, PlanError, TargetNotListed
from scenarios.target import Target, TargetClass
from scenarios.target_list import find_target

LISTED = (Target(name="staging", url="https://API.example.com/v1", target_class=TargetClass.STAGING),)


@pytest.mark.parametrize(
    "asked",
    ["staging", "https://api.example.com/v1", "https://api.example.com:443/v1/", "https://api.example.com./v1/rooms"],
)
def test_a_listed_target_is_found_by_name_or_address(asked: str) -> None:
    assert find_target(asked, LISTED).name == "staging"


@pytest.mark.parametrize(
    "asked",
    [
        "http://api.example.com/v1",
        "https://api.example.com:444/v1",
        "https://api.example.com/v2",
        "https://api.example.com/v10",
        "https://api.example.com/v1/../admin",
        "https://api.example.com.evil.test/v1",
        "https://evil.test/api.example.com/v1",
        "production",
    ],
)
def test_what_is_not_listed_is_refused_with_the_entry_to_add(asked: str) -> None:
    with pytest.raises(TargetNotListed, match=r"- name: (.|\n)*target_class: staging") as told:
        find_target(asked, LISTED)
    assert told.value.exit_code == 2


@pytest.mark.parametrize("url", ["http://a\nb.example", "http://a.exam\tple", "http://a b", "http://u:hunter2@a b"])
def test_a_url_with_blanks_is_no_target_whatever_host_would_be_left_of_it(url: str) -> None:
    with pytest.raises(PlanError, match=r"target 'staging': .* is no target") as told:
        find_target("staging", (Target(name="staging", url=url, target_class=TargetClass.STAGING),))
    assert "hunter2" not in str(told.value)


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(PlanError) as told:
        find_target("https://me:s3cret@api.example.com/v1", LISTED)
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize(
    "asked", ["ftp://a.example", "https://", "http://a:0", "http://a:99999", "http://[::1", "https://a?b=1"]
)
def test_what_is_no_target_is_refused(asked: str) -> None:
    with pytest.raises(PlanError):
        find_target(asked, LISTED)


@given(st.text(max_size=80))
def test_no_text_widens_the_list(asked: str) -> None:
    try:
        found = find_target(asked, LISTED)
    except HarnessError:
        return
    assert found is LISTED[0]
    assert asked == "staging" or asked.lower().startswith("https://api.example.com")
