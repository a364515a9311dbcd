import { createHmac } from "node:crypto";
import { secret } from "../js/server.mjs";

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token for the user, valid in every conversation for so many seconds, signed with the key. */
export function tokenFor(user, { lifetime = 300, key = secret } = {}) {
  const claims = { sub: user, conversations: ["*"], exp: Math.floor(Date.now() / 1000) + lifetime };
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}
