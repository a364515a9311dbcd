// Presence is about users, not connections: who drops and comes back within the grace time was never away. The server
// runs with a grace time of a few seconds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, gathering } from "./client.mjs";
import { assertEvent } from "./shape.mjs";
import { allAtOnceOverEachTransport } from "./transports.mjs";

/** Ends the connection without a goodbye. */
function drop(client) {
  client.socket.io.reconnection(false);
  client.socket.io.engine.close();
}

allAtOnceOverEachTransport((transport) => {
  test("a user who drops and does not come back has left when the grace time is over", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    drop(bob);
    const { members } = await alice.ask("presence", { conversationId: conversation });
    assert.equal(members.length, 2, "bob is still there for the grace time");
    assertEvent(await alice.next("user_left"), { type: "system", conversationId: conversation, userId: bob.user });
    assert.deepEqual((await alice.ask("presence", { conversationId: conversation })).members, [{ userId: alice.user }]);
    assert.deepEqual(await alice.unasked(), [], "it was told once");
  });

  test("a user who drops and comes back in time was never away", async (t) => {
    const { conversation, clients: [alice, bob, carol] } = await gathering(t, transport, "alice", "bob", "carol");
    bob.socket.io.engine.close();
    await bob.next("disconnect");
    await bob.connected();
    const { members } = await bob.join(conversation);
    assert.equal(members.length, 3);
    // Carol drops later, so bob's grace time is over when hers is.
    drop(carol);
    assert.equal((await alice.next("user_left")).userId, carol.user);
    assert.deepEqual(await alice.unasked(), [], "nothing was told of bob");
    assert.deepEqual((await bob.ask("presence", { conversationId: conversation })).members.map(({ userId }) => userId).sort(), [alice.user, bob.user].sort());
  });

  test("a user who says goodbye has left at once", async (t) => {
    const { clients: [alice, bob, carol] } = await gathering(t, transport, "alice", "bob", "carol");
    drop(bob);
    await bob.next("disconnect");
    carol.socket.disconnect();
    assert.equal((await alice.next("user_left")).userId, carol.user, "carol, who went later, is gone first");
    assert.equal((await alice.next("user_left")).userId, bob.user);
  });

  test("a user whose other tab stays does not leave by dropping", async (t) => {
    const { conversation, clients: [alice, bob, carol] } = await gathering(t, transport, "alice", "bob", "carol");
    const tab = await Client.connect(t, transport, bob.user);
    await tab.join(conversation);
    drop(bob);
    await bob.next("disconnect");
    drop(carol);
    assert.equal((await alice.next("user_left")).userId, carol.user);
    assert.deepEqual(await alice.unasked(), [], "bob is there by the other tab");
    drop(tab);
    assert.equal((await alice.next("user_left")).userId, bob.user);
  });

  test("a user who comes back after the grace time has joined again", async (t) => {
    const { conversation, clients: [alice, bob] } = await gathering(t, transport, "alice", "bob");
    drop(bob);
    await alice.next("user_left");
    const again = await Client.connect(t, transport, bob.user);
    await again.join(conversation);
    assertEvent(await alice.next("user_joined"), { type: "system", conversationId: conversation, userId: bob.user });
  });
});
