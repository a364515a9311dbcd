// The reference server: socket.io on Node.js, with the fixture and the chat. It takes a free port and says where it is.

import { createServer } from "node:http";
import { serveChat } from "./chat.mjs";
import { serveFixture } from "./fixture.mjs";

const http = createServer((_, response) => response.writeHead(404).end());
serveFixture(http);
serveChat(http, process.env.JWT_SECRET);
http.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${http.address().port}`));
