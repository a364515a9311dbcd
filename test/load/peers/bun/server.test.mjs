// Run: npm ci && npm test

import { join } from "node:path";
import jwt from "jsonwebtoken";
import { io } from "socket.io-client";
import { contract } from "../contract.mjs";

const cwd = import.meta.dirname;
contract({ command: join(cwd, "node_modules", ".bin", "bun"), cwd, io, jwt });
