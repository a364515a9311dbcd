// Where the server under test is, and the secret that it believes.

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests by \`go test ./test/e2e\`, or set it to those of a running server`);
  return value;
}

export const url = required("PARLEY_URL");
export const secret = required("JWT_SECRET");
