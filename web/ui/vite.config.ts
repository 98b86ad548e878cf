import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { onlyWoff2 } from "./fonts.ts";

// During development the gateway serves the API: TANDEM_URL=http://127.0.0.1:8000 npm run dev
const gateway = process.env["TANDEM_URL"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/",
  plugins: [react(), onlyWoff2()],
  build: {
    target: "es2022",
    manifest: "manifest.json",
    // The licences of what is bundled travel with it.
    license: { fileName: "licenses.md" },
    // The gateway's content security policy allows files of its own, and no data: addresses.
    assetsInlineLimit: 0,
    // The polyfill for old browsers is an inline script; none that this code runs in needs it.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
  },
  server: { proxy: { "/v1": gateway, "/healthz": gateway, "/readyz": gateway } },
  test: {
    // Tests that need a document say so in their first line.
    environment: "node",
    include: ["test/**/*.test.{ts,tsx}"],
    setupFiles: ["test/setup.ts"],
    css: false,
  },
});
