import { defineConfig } from "vitest/config";

// Where `npm run dev` finds Parley: its own default address.
const parley = "http://127.0.0.1:3000";

export default defineConfig({
  build: {
    // Everything but index.html lies under /assets with a hash in its name, so it can be cached
    // for ever; nothing is inlined, so the page runs under a policy of `default-src 'self'`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // The default ALLOWED_ORIGINS names this port.
    port: 5173,
    strictPort: true,
    proxy: {
      "/socket.io": { target: parley, ws: true },
      "/dev": { target: parley },
    },
  },
  test: {
    include: ["test/**/*.test.ts"],
  },
});
