// The first load must stay small: everything that index.html and its static imports pull in, gzipped.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMIT = 300 * 1000;

const manifest = JSON.parse(readFileSync("dist/manifest.json", "utf8"));
const files = new Set();

function visit(name) {
  const chunk = manifest[name];
  if (!chunk || files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const imported of chunk.imports ?? []) visit(imported);
}

visit("index.html");
const bytes = [...files].reduce((sum, file) => sum + gzipSync(readFileSync(`dist/${file}`), { level: 9 }).length, 0);
console.log(
  `first load: ${(bytes / 1000).toFixed(1)} kB of gzipped JavaScript in ${files.size} files, limit ${LIMIT / 1000} kB`,
);
if (files.size === 0 || bytes > LIMIT) {
  console.error("The first load is too large, or nothing was built: import what is not needed at once lazily.");
  process.exit(1);
}
