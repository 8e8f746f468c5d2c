"""The shortest traces that break a less careful delivery. Each walk is checked at its end.

`near` is the node of bob's stream and `far` is another one; a server of one node uses it for both.
"""

from __future__ import annotations

from tests.hub.server import Server
from tests.hub.traces import NEAR, contents, deliver_to, far, follow, kinds, lose_commit, send

JOINING_READS = 6


async def test_a_filled_gap_contains_nothing_written_after_a_removal(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await send(walk, "k", far(walk))
        await walk.remove("bob", "c0", far(walk))
        await walk.edit(0, far(walk))
        await lose_commit(walk)
        await walk.poll(NEAR)
        await walk.receive("bob")
        assert (kinds(walk, "bob"), contents(walk, "bob")) == (["message.created", "member.left"], ["text 1"])


async def test_a_later_frame_reveals_the_commit_of_a_dead_node_as_of_its_number(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await send(walk, "k", far(walk))
        await lose_commit(walk)
        await walk.remove("bob", "c0", NEAR)
        await walk.edit(0, NEAR)
        await deliver_to(walk, "bob")
        await walk.nodes[NEAR].tasks.ended()
        await walk.receive("bob")
        assert (kinds(walk, "bob"), contents(walk, "bob")) == (["message.created", "member.left"], ["text 1"])


async def test_reading_the_heads_reveals_the_last_commit_of_a_dead_node(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await send(walk, "k", far(walk))
        await lose_commit(walk)
        await walk.poll(NEAR)
        await walk.receive("bob")
        assert contents(walk, "bob") == ["text 1"]


async def test_a_page_from_another_node_includes_the_latest_message(server: Server) -> None:
    async with server.walk() as walk:
        await walk.connect("xavier", far(walk))
        await follow(walk, "carol", far(walk))
        await send(walk, "k", NEAR)
        await walk.connect("bob", NEAR)
        await walk.load("bob", far(walk))


async def test_a_page_loaded_again_includes_messages_sent_in_between(server: Server) -> None:
    async with server.walk() as walk:
        await walk.join("carol", "c0")
        await follow(walk, "carol")
        await send(walk, "k")
        await follow(walk, "bob")


async def test_a_message_delivered_while_a_page_is_loading_is_in_the_state(server: Server) -> None:
    async with server.walk() as walk:
        await walk.connect("bob")
        await walk.ask("bob")
        await walk.take_answer("bob")
        await walk.ask("bob")
        await send(walk, "k")
        await deliver_to(walk, "bob")
        await walk.take_answer("bob")
    assert contents(walk, "bob") == ["text 1"]


async def test_a_member_who_left_and_returned_unnoticed_sees_every_event_of_the_memberships(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await send(walk, "k", far(walk))
        await walk.remove("bob", "c0", far(walk))
        await walk.join("bob", "c0", far(walk))
        await walk.publish(far(walk))
        await walk.remove("bob", "c0", far(walk))
        await deliver_to(walk, "bob")
        await walk.poll(NEAR)
        await walk.join("bob", "c0", far(walk))
        await walk.poll(NEAR)
        await walk.receive("bob")
        assert kinds(walk, "bob") == ["message.created", "member.left", "member.joined", "member.left", "member.joined"]


async def test_an_unnoticed_joining_and_removal_are_both_delivered(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "carol")
        await walk.join("carol", "c0", far(walk))
        await walk.remove("carol", "c0", far(walk))
        await walk.poll(NEAR)
        await walk.join("carol", "c0", far(walk))
        await walk.poll(NEAR)
        await walk.receive("carol")
        assert kinds(walk, "carol") == ["member.joined", "member.left", "member.joined"]


async def test_messages_read_on_another_device_are_counted_once(server: Server) -> None:
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


async def test_a_read_mark_that_a_restored_backup_lost_is_lost_on_the_device_too(server: Server) -> None:
    async with server.walk() as walk:
        await send(walk, "k")
        await walk.poll(NEAR)
        await follow(walk, "bob")
        await walk.backup()
        await walk.read("bob", "c0")
        await deliver_to(walk, "bob")
        chat = walk.clients["bob"].state.chats[walk.chats["c0"]].chat
        assert chat["last_read_number"] == 1
        await walk.restore()
        await walk.connect("bob")
        await walk.receive("bob")
        assert walk.clients["bob"].resets == []
        assert chat["last_read_number"] == 0


async def test_a_response_of_a_lost_log_is_noticed_although_a_newer_response_followed(server: Server) -> None:
    async with server.walk() as walk:
        await send(walk, "k")
        await walk.poll(NEAR)
        await walk.connect("bob")
        await walk.drop("bob")
        await walk.backup()
        await walk.rename_workspace()
        await walk.ask("bob")
        await walk.take_answer("bob")
        await walk.go_back()
        for text in ("k2", "k3"):
            await send(walk, text)
        await walk.ask("bob")
        await walk.take_answer("bob")
        await walk.connect("bob")
        assert walk.clients["bob"].resets == ["epoch"]


async def test_a_member_removed_and_added_while_offline_gets_the_messages_in_between(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await walk.drop("bob")
        await walk.remove("bob", "c0")
        await send(walk, "k")
        await walk.join("bob", "c0")
    messages = walk.clients["bob"].state.chats[walk.chats["c0"]].messages
    assert [each["content"] for each in (messages or {}).values()] == ["text 1"]


async def test_a_batch_of_two_workspaces_reaches_both_although_its_node_dies(server: Server) -> None:
    async with server.walk() as walk:
        await walk.connect("bob", far(walk))
        await walk.connect("xavier", far(walk))
        await walk.send("alice", "c0", "k", NEAR)
        await walk.send("xavier", "d0", "k", NEAR)
        await walk.commit(NEAR)
        await walk.crash(NEAR)
        await walk.poll(far(walk))
    assert (len(contents(walk, "bob")), len(contents(walk, "xavier"))) == (1, 1)


async def test_events_of_other_chats_do_not_count_towards_the_limit_of_a_replay(server: Server) -> None:
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


async def test_a_commit_that_is_never_published_is_delivered(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await walk.send("alice", "c0", "k")
        await walk.commit(NEAR, lost=True)
        await walk.poll(NEAR)
        await walk.receive("bob")
        assert contents(walk, "bob") == ["text 1"]


async def test_a_member_removed_while_offline_receives_only_the_removal(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await walk.drop("bob")
        await send(walk, "k")
        await walk.remove("bob", "c0")
        await send(walk, "k2")
    assert kinds(walk, "bob") == ["member.left"]


async def test_a_personal_event_reaches_only_its_persons_streams(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "alice", far(walk))
        await follow(walk, "bob")
        await walk.prefer("bob", "c0", far(walk))
        await deliver_to(walk, "alice", far(walk))
        await deliver_to(walk, "bob")
        assert (kinds(walk, "bob"), kinds(walk, "alice")) == (["preferences.updated"], [])


async def test_a_personal_event_is_replayed_only_to_its_person(server: Server) -> None:
    async with server.walk() as walk:
        for who in ("alice", "bob"):
            await follow(walk, who)
            await walk.drop(who)
        await walk.prefer("bob", "c0", muted=True)
        for who in ("alice", "bob"):
            await follow(walk, who)
        assert (kinds(walk, "bob"), kinds(walk, "alice")) == (["preferences.updated"], [])


async def test_a_personal_event_during_another_persons_joining_is_not_shown_to_them(server: Server) -> None:
    """The event arrives beside each read of the joining in turn."""
    async with server.walk() as walk:
        for reads in range(JOINING_READS):
            await walk.open("alice")
            for _ in range(reads):
                await walk.advance_join("alice")
            await walk.prefer("bob", "c0", starred=reads % 2 == 0)
            walk.nodes[NEAR].publish_all()
            walk.bus.deliver_all(NEAR)
            await walk.finish_join("alice")
            await walk.receive("alice")
            assert kinds(walk, "alice") == []
            await walk.drop("alice")


async def test_a_personal_event_of_a_former_chat_is_not_replayed(server: Server) -> None:
    async with server.walk() as walk:
        await follow(walk, "bob")
        await walk.drop("bob")
        await walk.prefer("bob", "c1")
        await walk.leave("bob", "c1")
        await follow(walk, "bob")
        assert kinds(walk, "bob") == ["member.left"]
