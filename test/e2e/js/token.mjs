import { generateKeyPairSync, randomBytes } from "node:crypto";
import jwt from "jsonwebtoken";
import { secret } from "./server.mjs";

const lifetime = 300; // seconds

/** A token that the server accepts, for every conversation and some minutes unless told otherwise. */
export function tokenFor(user, conversations = ["*"], expiresIn = lifetime) {
  return jwt.sign({ sub: user, conversations }, secret, { algorithm: "HS256", expiresIn });
}

/** When the token expires, as the server writes times. */
export const expiryOf = (token) => new Date(jwt.decode(token).exp * 1000).toISOString();

const claims = (changes) => ({ sub: "mallory", conversations: ["*"], ...changes });
const sign = (payload, key, algorithm) => jwt.sign(payload, key, { algorithm, expiresIn: lifetime });

/** Tokens that no one may get in with: what is wrong with each, the token, and the code that the client is told. */
export function badTokens() {
  const good = tokenFor("mallory");
  const [header, payload, signature] = good.split(".");
  const forged = Buffer.from(JSON.stringify({ ...jwt.decode(good), sub: "alice" })).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  return [
    { fault: "is not a token", token: "open sesame", code: "UNAUTHORIZED" },
    { fault: "is expired", token: jwt.sign(claims({ exp: now - 3600 }), secret), code: "TOKEN_EXPIRED" },
    { fault: "is expired and wrongly signed", token: jwt.sign(claims({ exp: now - 3600 }), "x".repeat(32)), code: "UNAUTHORIZED" },
    { fault: "never expires", token: jwt.sign(claims(), secret), code: "UNAUTHORIZED" },
    { fault: "is not signed (alg none)", token: sign(claims(), "", "none"), code: "UNAUTHORIZED" },
    { fault: "has lost its signature", token: `${header}.${payload}.`, code: "UNAUTHORIZED" },
    { fault: "was signed for someone else", token: `${header}.${forged}.${signature}`, code: "UNAUTHORIZED" },
    { fault: "was signed with another secret", token: sign(claims(), randomBytes(32), "HS256"), code: "UNAUTHORIZED" },
    { fault: "was signed with the secret by HS384", token: sign(claims(), secret, "HS384"), code: "UNAUTHORIZED" },
    { fault: "was signed by RS256", token: sign(claims(), rsa, "RS256"), code: "UNAUTHORIZED" },
    { fault: "names no user", token: sign({ conversations: ["*"] }, secret, "HS256"), code: "UNAUTHORIZED" },
    { fault: "names a user with a malformed id", token: sign(claims({ sub: "al ice" }), secret, "HS256"), code: "UNAUTHORIZED" },
    { fault: "is longer than any honest one", token: tokenFor("mallory", Array(4_000).fill("conversation")), code: "UNAUTHORIZED" },
  ];
}
