import preact from "@preact/preset-vite";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

/** What the page is made of, so that a test can tell a page that was not built again after a change. */
function sources(): string {
  const hash = createHash("sha256");
  for (const path of ["index.html", "package-lock.json", ...readdirSync("src", { recursive: true }).map((path) => `src/${path}`).filter((path) => /\.(tsx?|css)$/.test(path))].sort()) {
    hash.update(readFileSync(path));
  }
  return hash.digest("hex");
}

export default defineConfig({
  plugins: [
    preact({ prefreshEnabled: false, devToolsEnabled: false }),
    viteSingleFile(),
    {
      name: "sources",
      transformIndexHtml: () => [{ tag: "meta", attrs: { name: "sources", content: sources() }, injectTo: "head" as const }],
    },
  ],
  build: { outDir: "../src/soundfix/report/page", emptyOutDir: true, target: "es2022", license: false },
  server: { proxy: { "^/(locate|window|likelihood|plan|jobs|methods|example|microphones|health|ready)": "http://127.0.0.1:8000", "/live": { target: "ws://127.0.0.1:8000", ws: true } } },
});
