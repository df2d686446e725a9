"""Who is in which group, against a model that is too simple to be wrong."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from channels_lts.layer.membership import Membership

GROUPS = st.sampled_from(["a", "b", "c"])
CHANNELS = st.sampled_from(["x!1", "x!2", "x!3"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), GROUPS, CHANNELS),
        st.tuples(st.just("leave"), GROUPS, CHANNELS),
        st.tuples(st.just("forget"), st.just(""), CHANNELS),
        st.tuples(st.just("clear"), st.just(""), st.just("")),
    ),
    max_size=40,
)


@given(STEPS)
def test_membership_is_what_a_list_of_pairs_says(steps):
    membership, pairs = Membership(), []
    for now, (step, group, channel) in enumerate(steps):
        if step == "join":
            membership.join(group, channel, now)
            pairs += [(group, channel)] if (group, channel) not in pairs else []
        elif step == "leave":
            membership.leave(group, channel)
            pairs = [pair for pair in pairs if pair != (group, channel)]
        elif step == "forget":
            assert membership.forget(channel) == {group for group, member in pairs if member == channel}
            pairs = [pair for pair in pairs if pair[1] != channel]
        else:
            membership.clear()
            pairs = []
        for name in "abc":
            assert list(membership.members(name)) == [member for group, member in pairs if group == name]
        assert sorted(membership.groups()) == sorted({group for group, _ in pairs})
        assert len(membership) == len({group for group, _ in pairs})


def test_who_joins_again_is_not_old():
    membership = Membership()
    membership.join("a", "x!1", 1)
    membership.join("a", "x!2", 1)
    membership.join("a", "x!1", 5)
    assert list(membership.joined_before(3)) == [("a", "x!2")]
