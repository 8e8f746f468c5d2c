"""Traces of delivery in which the log goes back: a backup is restored, or older files appear under running nodes."""

from __future__ import annotations

from tests.hub.server import Server
from tests.hub.traces import NEAR, contents, deliver_to, far, follow, send
from tests.hub.walk import Walk


async def restore_after_delivery(walk: Walk) -> None:
    """Send a message to bob, restore the backup and sign alice in again."""
    await follow(walk, "bob")
    await send(walk, "lost")
    await deliver_to(walk, "bob")
    assert len(contents(walk, "bob")) == 1
    await walk.restore()
    await walk.connect("alice")


async def test_a_position_from_before_a_restore_is_reset(server: Server) -> None:
    async with server.walk() as walk:
        await walk.backup()
        await restore_after_delivery(walk)
    assert (walk.clients["bob"].resets, contents(walk, "bob")) == (["epoch"], [])


async def go_back_after_delivery(walk: Walk) -> None:
    """Send a message to bob, then put older files under the running nodes."""
    await follow(walk, "bob")
    await walk.backup()
    await send(walk, "lost", far(walk))
    await deliver_to(walk, "bob")
    await walk.poll(NEAR)
    await walk.receive("bob")
    assert len(contents(walk, "bob")) == 1
    await walk.go_back()


async def test_an_open_stream_is_reset_when_the_head_goes_back_under_running_nodes(server: Server) -> None:
    async with server.walk() as walk:
        await go_back_after_delivery(walk)
        await walk.poll(NEAR)
        await walk.receive("bob")
        assert (walk.clients["bob"].resets, contents(walk, "bob")) == (["epoch"], [])
        await send(walk, "new", far(walk))
        await deliver_to(walk, "bob")
        await walk.poll(NEAR)
        await walk.receive("bob")
        assert contents(walk, "bob") == ["text 2"]


async def test_a_position_is_reset_when_a_new_log_has_passed_the_old_head_unnoticed(server: Server) -> None:
    async with server.walk() as walk:
        await go_back_after_delivery(walk)
        for key in ("new", "newer", "newest"):
            await send(walk, key, far(walk))
        await walk.drop("bob")
        await walk.connect("bob")
        await walk.poll(NEAR)
    assert walk.clients["bob"].resets == ["epoch"]
    assert contents(walk, "bob") == []


async def test_late_frames_of_a_lost_log_are_dropped(server: Server) -> None:
    async with server.walk() as walk:
        await go_back_after_delivery(walk)
        await walk.poll(NEAR)
        await walk.receive("bob")
        await send(walk, "new", far(walk))
        await deliver_to(walk, "bob")
    assert "text 1" not in contents(walk, "bob")


async def test_a_position_is_reset_when_the_restored_log_has_passed_it_again(server: Server) -> None:
    async with server.walk() as walk:
        await walk.backup()
        await restore_after_delivery(walk)
        await send(walk, "new")
        await send(walk, "newer")
    assert walk.clients["bob"].resets == ["epoch"]


async def test_two_restores_of_one_backup_begin_two_eras(server: Server) -> None:
    async with server.walk() as walk:
        await walk.backup()
        await walk.restore()
        await walk.connect("alice")
        await restore_after_delivery(walk)
        await send(walk, "new")
    assert walk.clients["bob"].resets == ["epoch"]
