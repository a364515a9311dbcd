import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection, type ConnectionState } from "../src/connection";
import { ScriptedSocket, turn } from "./scripted-socket";

/** The socket that the connection makes: tells of the manager's doings like the real one, and of no transport. */
class ManagedSocket extends ScriptedSocket {
  active = false;
  readonly io = { on: () => {}, off: () => {}, engine: { readyState: "open", on: () => {} } };
  readonly connect = vi.fn();
  readonly disconnect = vi.fn();
}

let socket: ManagedSocket;
vi.mock("socket.io-client", () => ({ io: () => socket }));

describe("a connection whose token runs out", () => {
  const states: ConnectionState["kind"][] = [];
  const fetch = vi.fn(() => Promise.resolve(Response.json({ token: "a new one" })));

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("fetch", fetch);
    socket = new ManagedSocket();
    states.length = 0;
    new Connection("alice", (state) => states.push(state.kind));
    socket.tell("connect");
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("brings a new one when it is told so", async () => {
    socket.tell("token_expiring", { expiresAt: "2026-01-05T09:30:00.000Z" });
    await vi.waitFor(() => expect(socket.sent("refresh_token")).toHaveLength(1));
    expect(socket.last("refresh_token").body).toEqual({ token: "a new one" });
    socket.last("refresh_token").answer({ ok: true });
    await turn();
    expect(states).toEqual(["connected"]);
  });

  it("signs in again by itself when the server ends the session for it", async () => {
    socket.tell("error", { event: "", code: "TOKEN_EXPIRED", message: "" });
    socket.tell("disconnect", "io server disconnect");
    expect(states.at(-1)).toBe("reconnecting");
    await vi.advanceTimersByTimeAsync(5_000);
    expect(socket.connect).toHaveBeenCalledOnce();
  });

  it("waits for the person when the server ends the session for another reason", async () => {
    socket.tell("disconnect", "io server disconnect");
    expect(states.at(-1)).toBe("refused");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(socket.connect).not.toHaveBeenCalled();
  });
});
