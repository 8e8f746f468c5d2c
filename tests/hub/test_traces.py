"""The shortest ways in which a less careful delivery goes wrong, taken by the real rooms. At the end of each the walk is checked.

`near` is the node of bob's stream, `far` another; a server of one node has both in one.
"""

from __future__ import annotations

from tests.hub.server import Server
from tests.hub.walk import Walk

NEAR = 0
JOINING_READS = 6


def far(walk: Walk) -> int:
    return len(walk.nodes) - 1


async def follow(walk: Walk, who: str, node: int = NEAR) -> None:
    """Open a stream and load everything."""
    await walk.connect(who, node)
    await walk.load(who, node)


async def die_unheard(walk: Walk) -> None:
    """What the far node committed is never published; the frames of a single node are lost on the way, so that bob's stream lives."""
    if far(walk) != NEAR:
        await walk.crash(far(walk))
        return
    walk.nodes[NEAR].publish_all()
    while walk.bus.waiting[NEAR]:
        walk.bus.lose(NEAR)


async def send(walk: Walk, key: str, node: int = NEAR, chat: str = "c0") -> None:
    """By alice, stored and answered; not published yet."""
    await walk.send("alice", chat, key, node)
    await walk.commit(node)
    await walk.answer(node)
    assert ("alice", chat, key) in walk.acknowledged


async def hear(walk: Walk, who: str, node: int = NEAR) -> None:
    """What waits on its way to the node, and then to the client."""
    walk.nodes[node].publish_all()
    walk.bus.deliver_all(node)
    await walk.receive(who)


def contents(walk: Walk, who: str) -> list[str]:
    """Of the messages the stream told of, in that order."""
    events = [event for _, event in sorted(walk.clients[who].shown.items())]
    return [event["data"]["message"]["content"] for event in events if "message" in event["data"]]


def kinds(walk: Walk, who: str) -> list[str]:
    return [event["type"] for _, event in sorted(walk.clients[who].shown.items())]


async def test_a_gap_filled_after_one_was_removed_shows_nothing_written_since(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await send(walk, "k", far(walk))
        await walk.remove("bob", "c0", far(walk))
        await walk.edit(0, far(walk))
        await die_unheard(walk)
        await walk.poll(NEAR)
        await walk.receive("bob")
        assert (kinds(walk, "bob"), contents(walk, "bob")) == (["message.created", "member.left"], ["text 1"])


async def test_what_a_dead_node_committed_is_shown_as_of_its_number_when_a_later_frame_comes(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await send(walk, "k", far(walk))
        await die_unheard(walk)
        await walk.remove("bob", "c0", NEAR)
        await walk.edit(0, NEAR)
        await hear(walk, "bob")
        await walk.nodes[NEAR].tasks.ended()
        await walk.receive("bob")
        assert (kinds(walk, "bob"), contents(walk, "bob")) == (["message.created", "member.left"], ["text 1"])


async def test_what_a_dead_node_committed_last_is_shown_after_a_reading_of_the_heads(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await send(walk, "k", far(walk))
        await die_unheard(walk)
        await walk.poll(NEAR)
        await walk.receive("bob")
        assert contents(walk, "bob") == ["text 1"]


async def test_a_page_asked_of_a_node_that_has_not_heard_of_a_message_holds_it(server: Server) -> None:
    async with server.walk() as walk:
        await walk.connect("xavier", far(walk))
        await follow(walk, "carol", far(walk))
        await send(walk, "k", NEAR)
        await walk.connect("bob", NEAR)
        await walk.load("bob", far(walk))


async def test_a_page_asked_after_another_asked_for_the_same_one_holds_what_came_between(server: Server) -> None:
    async with server.walk() as walk:
        await walk.join("carol", "c0")
        await follow(walk, "carol")
        await send(walk, "k")
        await follow(walk, "bob")


async def test_a_message_delivered_while_a_page_is_on_its_way_is_in_the_state(server: Server) -> None:
    async with server.walk() as walk:
        await walk.connect("bob")
        await walk.ask("bob")
        await walk.take_answer("bob")
        await walk.ask("bob")
        await send(walk, "k")
        await hear(walk, "bob")
        await walk.take_answer("bob")
    assert contents(walk, "bob") == ["text 1"]


async def test_one_who_left_and_came_back_meanwhile_is_shown_all_it_was_there_for(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await send(walk, "k", far(walk))
        await walk.remove("bob", "c0", far(walk))
        await walk.join("bob", "c0", far(walk))
        await walk.publish(far(walk))
        await walk.remove("bob", "c0", far(walk))
        await hear(walk, "bob")
        await walk.poll(NEAR)
        await walk.join("bob", "c0", far(walk))
        await walk.poll(NEAR)
        await walk.receive("bob")
        assert kinds(walk, "bob") == ["message.created", "member.left", "member.joined", "member.left", "member.joined"]


async def test_one_who_joined_and_was_removed_unheard_is_told_both(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "carol")
        await walk.join("carol", "c0", far(walk))
        await walk.remove("carol", "c0", far(walk))
        await walk.poll(NEAR)
        await walk.join("carol", "c0", far(walk))
        await walk.poll(NEAR)
        await walk.receive("carol")
        assert kinds(walk, "carol") == ["member.joined", "member.left", "member.joined"]


async def test_what_was_read_on_another_device_and_what_came_after_it_are_counted_once(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await send(walk, "k")
        await walk.poll(NEAR)
        await walk.receive("bob")
        await walk.drop("bob")
        await walk.read("bob", "c0")
        await send(walk, "k2")
        await walk.connect("bob")
        chat = walk.clients["bob"].state.chats[walk.chats["c0"]].chat
        assert (chat["last_read_number"], chat["last_number"]) == (1, 2)


async def test_one_removed_and_added_again_while_away_has_what_was_written_between(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await walk.drop("bob")
        await walk.remove("bob", "c0")
        await send(walk, "k")
        await walk.join("bob", "c0")
    messages = walk.clients["bob"].state.chats[walk.chats["c0"]].messages
    assert [each["content"] for each in (messages or {}).values()] == ["text 1"]


async def test_a_batch_of_two_workspaces_whose_node_dies_reaches_both(server: Server) -> None:
    async with server.walk() as walk:
        await walk.connect("bob", far(walk))
        await walk.connect("xavier", far(walk))
        await walk.send("alice", "c0", "k", NEAR)
        await walk.send("xavier", "d0", "k", NEAR)
        await walk.commit(NEAR)
        await walk.crash(NEAR)
        await walk.poll(far(walk))
    assert (len(contents(walk, "bob")), len(contents(walk, "xavier"))) == (1, 1)


async def test_events_of_chats_one_is_not_in_do_not_count_towards_the_limit_of_a_replay(server: Server) -> None:
    async with server.walk() as walk:
        await walk.join("carol", "c0")
        await follow(walk, "carol")
        await walk.drop("carol")
        for place in range(3):
            await send(walk, f"k{place}", chat="c1")
        for place in range(10):
            await walk.edit(place)
        await send(walk, "seen")
        await walk.connect("carol")
    assert (walk.clients["carol"].resets, len(contents(walk, "carol"))) == ([], 1)


async def restore_after_bob_heard(walk: Walk) -> None:
    """A message that bob is shown, and then the backup put back; alice signs in again."""
    await follow(walk, "bob")
    await send(walk, "lost")
    await hear(walk, "bob")
    assert len(contents(walk, "bob")) == 1
    await walk.restore()
    await walk.connect("alice")


async def test_a_position_of_before_a_restore_begins_anew(server: Server) -> None:
    async with server.walk() as walk:
        await walk.backup()
        await restore_after_bob_heard(walk)
    assert (walk.clients["bob"].resets, contents(walk, "bob")) == (["epoch"], [])


async def go_back_after_bob_heard(walk: Walk) -> None:
    """A message that bob is shown, and then the files of before under the running nodes."""
    await follow(walk, "bob")
    await walk.backup()
    await send(walk, "lost", far(walk))
    await hear(walk, "bob")
    await walk.poll(NEAR)
    await walk.receive("bob")
    assert len(contents(walk, "bob")) == 1
    await walk.go_back()


async def test_a_head_that_goes_back_under_running_nodes_begins_anew_in_the_open_stream(server: Server) -> None:
    async with server.walk() as walk:
        await go_back_after_bob_heard(walk)
        await walk.poll(NEAR)
        await walk.receive("bob")
        assert (walk.clients["bob"].resets, contents(walk, "bob")) == (["epoch"], [])
        await send(walk, "new", far(walk))
        await hear(walk, "bob")
        await walk.poll(NEAR)
        await walk.receive("bob")
        assert contents(walk, "bob") == ["text 2"]


async def test_a_log_that_passed_the_old_head_before_anybody_looked_begins_anew(server: Server) -> None:
    async with server.walk() as walk:
        await go_back_after_bob_heard(walk)
        for key in ("new", "newer", "newest"):
            await send(walk, key, far(walk))
        await walk.drop("bob")
        await walk.connect("bob")
        await walk.poll(NEAR)
    assert walk.clients["bob"].resets == ["epoch"]
    assert contents(walk, "bob") == []


async def test_late_frames_of_a_lost_log_are_not_shown(server: Server) -> None:
    async with server.walk() as walk:
        await go_back_after_bob_heard(walk)
        await walk.poll(NEAR)
        await walk.receive("bob")
        await send(walk, "new", far(walk))
        await hear(walk, "bob")
    assert "text 1" not in contents(walk, "bob")


async def test_a_position_that_the_restored_log_has_passed_again_begins_anew(server: Server) -> None:
    async with server.walk() as walk:
        await walk.backup()
        await restore_after_bob_heard(walk)
        await send(walk, "new")
        await send(walk, "newer")
    assert walk.clients["bob"].resets == ["epoch"]


async def test_two_restores_of_one_backup_have_two_epochs(server: Server) -> None:
    async with server.walk() as walk:
        await walk.backup()
        await walk.restore()
        await walk.connect("alice")
        await restore_after_bob_heard(walk)
        await send(walk, "new")
    assert walk.clients["bob"].resets == ["epoch"]


async def test_a_commit_that_nobody_publishes_is_shown(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await walk.send("alice", "c0", "k")
        await walk.commit(NEAR, lost=True)
        await walk.poll(NEAR)
        await walk.receive("bob")
        assert contents(walk, "bob") == ["text 1"]


async def test_one_removed_while_away_is_told_its_end_and_nothing_else(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await walk.drop("bob")
        await send(walk, "k")
        await walk.remove("bob", "c0")
        await send(walk, "k2")
    assert kinds(walk, "bob") == ["member.left"]


async def test_a_persons_event_reaches_that_persons_stream_and_no_other(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "alice", far(walk))
        await follow(walk, "bob")
        await walk.prefer("bob", "c0", far(walk))
        await hear(walk, "alice", far(walk))
        await hear(walk, "bob")
        assert (kinds(walk, "bob"), kinds(walk, "alice")) == (["preferences.updated"], [])


async def test_a_persons_event_is_replayed_to_that_person_alone(server: Server) -> None:
    async with server.walk() as walk:
        for who in ("alice", "bob"):
            await follow(walk, who)
            await walk.drop(who)
        await walk.prefer("bob", "c0", muted=True)
        for who in ("alice", "bob"):
            await follow(walk, who)
        assert (kinds(walk, "bob"), kinds(walk, "alice")) == (["preferences.updated"], [])


async def test_a_persons_event_that_passes_while_another_joins_is_not_shown_to_the_other(server: Server) -> None:
    """Whichever read of the joining it passes beside."""
    async with server.walk() as walk:
        for reads in range(JOINING_READS):
            await walk.open("alice")
            for _ in range(reads):
                await walk.go_on("alice")
            await walk.prefer("bob", "c0", starred=reads % 2 == 0)
            walk.nodes[NEAR].publish_all()
            walk.bus.deliver_all(NEAR)
            await walk.join_up("alice")
            await walk.receive("alice")
            assert kinds(walk, "alice") == []
            await walk.drop("alice")


async def test_a_persons_event_of_a_chat_that_the_person_left_is_not_replayed(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await walk.drop("bob")
        await walk.prefer("bob", "c1")
        await walk.leave("bob", "c1")
        await follow(walk, "bob")
        assert kinds(walk, "bob") == ["member.left"]
