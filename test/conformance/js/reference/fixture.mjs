// The fixture on the reference server. ../../fixture is the same on Parley's library: what one does, the other must.

import { Server } from "socket.io";

/** The servers by path, with what is special about each. */
const servers = {
  "/plain/": {},
  "/hasty/": { pingInterval: 1000, pingTimeout: 8000 },
  "/recovering/": { connectionStateRecovery: { maxDisconnectionDuration: 60_000 } },
};

export function serveFixture(http) {
  for (const [path, options] of Object.entries(servers)) {
    const io = new Server(http, { path, serveClient: false, ...options });
    const fates = new Fates();
    for (const name of ["/", "/static", "/guarded", /^\/dynamic-[\w-]+$/]) {
      const namespace = io.of(name);
      if (name === "/guarded") namespace.use(guard);
      namespace.on("connection", (socket) => welcome(socket, fates));
    }
  }
}

function guard(socket, next) {
  if (socket.handshake.auth.token === "let me in") return next();
  next(Object.assign(new Error("not authorized"), { data: { code: "E_AUTH", hint: ["try", { again: true }] } }));
}

/** Why sockets went, by their ids, for those who ask before or after. */
class Fates {
  #fates = new Map();

  of(id) {
    if (!this.#fates.has(id)) this.came(id);
    return this.#fates.get(id);
  }

  /** Begins anew for one that comes, perhaps again. */
  came(id) {
    const fate = {};
    fate.reason = new Promise((resolve) => (fate.resolve = resolve));
    this.#fates.set(id, fate);
  }
}

function welcome(socket, fates) {
  const { nsp, recovered } = socket;
  const heard = (socket.data.heard ??= []);
  const counted = (socket.data.counted ??= []);
  const held = [];
  fates.came(socket.id);
  const question = (to, ms, args, ack) => {
    to.timeout(ms).emit("question", ...args, (err, ...answers) => ack({ late: err !== null, answers }));
  };
  const handlers = {
    who(ack) {
      const { auth, query, headers } = socket.handshake;
      const transport = socket.conn.transport.name;
      ack({ id: socket.id, namespace: nsp.name, auth, transport, colour: query.colour ?? "", mood: headers["x-mood"] ?? "" });
    },
    echo: (...args) => socket.emit("echo", ...args),
    "echo-ack": (...args) => args.pop()(...args),
    count(i) {
      counted.push(i);
      socket.emit("count", i);
    },
    counted: (ack) => ack(counted),
    heard: (ack) => ack(heard),
    hold: (ack) => held.push(ack),
    release() {
      for (const [i, ack] of held.entries()) held[held.length - 1 - i](i);
    },
    ask: (id, ms, ...args) => question(nsp.sockets.get(id), ms, args, args.pop()),
    "ask-all"(ms, ...args) {
      const ack = args.pop();
      nsp.timeout(ms).emit("question", ...args, (err, answers) => ack({ late: err !== null, answers }));
    },
    tell: (id, ...args) => answering(args, () => nsp.to(id).emit("told", ...args)),
    "tell-volatile": (id, ...args) => answering(args, () => nsp.to(id).volatile.emit("told", ...args)),
    "tell-others": (...args) => answering(args, () => socket.broadcast.emit("told", ...args)),
    kick() {
      socket.emit("farewell");
      socket.disconnect();
    },
    "kick-and-close"() {
      socket.emit("farewell");
      socket.disconnect(true);
    },
    close: () => socket.conn.close(),
    fate: (id, ack) => fates.of(id).reason.then(ack),
  };
  const refusal = new Error("refused");
  socket.use(([event], next) => next(event === "forbidden" ? refusal : undefined));
  // What breaks the protocol comes here too, and so does a client's event of that name.
  socket.on("error", (err) => err === refusal && socket.emit("refused", err.message));
  socket.onAny((event) => heard.push(String(event)));
  for (const [event, handler] of Object.entries(handlers)) socket.on(event, handler);
  socket.on("disconnect", (reason) => fates.of(socket.id).resolve(reason));
  socket.emit("welcome", { id: socket.id, recovered });
}

/** Takes the ack from the end of the arguments, does what is to be done, and answers. */
function answering(args, act) {
  const ack = args.pop();
  act();
  ack();
}
