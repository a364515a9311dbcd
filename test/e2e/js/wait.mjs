/** How long anything may take to happen, in milliseconds. Nothing takes this long but a failure. */
export const patience = 60_000;

/** The promise, or an error that says what did not happen in time. */
export async function within(promise, what, ms = patience) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`after ${ms} ms: ${typeof what === "function" ? what() : what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
