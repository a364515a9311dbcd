// Run: npm ci && npm test

import jwt from "jsonwebtoken";
import { io } from "socket.io-client";
import { contract } from "../contract.mjs";

contract({ command: process.execPath, cwd: import.meta.dirname, io, jwt });
