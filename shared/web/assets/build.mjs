/**
 * Builds everything a page loads into ../static/dist: hashed names, manifest.json, .br and .gz.
 *
 * WeUI is taken widget by widget without its palettes (ours stands in tokens.css and passes AA) and
 * with text sizes that follow `--fs`; Tabler whole, with its dark rules made to follow our theme
 * switch. No file of a third party is committed, none is loaded from another host.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const own = join(here, "..", "static");
const dist = join(own, "dist");
const target = ["chrome107", "safari15"];
const require = createRequire(import.meta.url);

const WIDGETS = ["base/base", "widget/weui-button/weui-button", "widget/weui-cell/weui-cell",
  "widget/weui-cell/weui-cell-form", "widget/weui-tab/weui-tab"];
const UNUSED = /weui-(btn_(overlay|loading|cell|icon|input|reset|mini|medium|xmini|inline)|bottom-fixed|navbar|vcode|tab__|half-|cell_swiped|hidden|a[\b:.]|primary-loading|mask|form-preview|switch|cell_vcode|cell_uploader|form__|cell_label-block)|navigator|wx-root(?!.*,)|^page/;

/** Top-level rules of a style sheet: [selector or at-rule, body]. */
function rules(css) {
  const found = [];
  let depth = 0, start = 0, open = 0;
  for (let at = 0; at < css.length; at++) {
    if (css[at] === "{" && depth++ === 0) open = at;
    if (css[at] === "}" && --depth === 0) {
      found.push([css.slice(start, open).trim(), css.slice(open + 1, at).trim()]);
      start = at + 1;
    }
  }
  return found;
}

/** Declarations without the fallbacks of browsers older than our target. */
function modern(body) {
  const kept = [];
  for (const text of body.split(";").map((part) => part.trim()).filter(Boolean)) {
    const name = text.slice(0, text.indexOf(":"));
    if (/-webkit-(box|flex|align|justify|transform|user)|constant\(/.test(text)) continue;
    const last = kept.at(-1);
    if (last?.startsWith(`${name}:`) && /var\(|env\(/.test(text)) kept.pop();
    kept.push(text.replace(/font-size:\s*([\d.]+)px/, "font-size:calc($1px*var(--fs,1))"));
  }
  return kept.join(";");
}

/** WeUI's chosen widgets without palettes and without what no page of ours uses. */
function weui() {
  const seen = new Set();
  for (const name of WIDGETS) {
    const css = readFileSync(require.resolve(`weui/dist/style/${name}.css`), "utf8").replace(/\/\*[^]*?\*\//g, "");
    for (const [selector, body] of rules(css)) {
      if (selector.startsWith("@") || UNUSED.test(selector) || /^\s*--/.test(body)) continue;
      const plain = selector.split(",").filter((part) => !/wx-root|^page$/.test(part)).join(",");
      if (plain) seen.add(`${plain}{${modern(body)}}`);
    }
  }
  return [...seen].join("\n");
}

/** Tabler whole; its dark rules follow <html data-theme> and, on "auto", the system. */
function tabler() {
  const css = readFileSync(require.resolve("@tabler/core/dist/css/tabler.css"), "utf8").replace(/\/\*[^]*?\*\//g, "");
  const mark = /^(:root|body)?\[data-bs-theme=dark\](?! \[data-bs-theme)/;
  const out = [], auto = [];
  for (const [selector, body] of rules(css)) {
    const parts = selector.split(/,(?![^(]*\))/).map((part) => part.trim());
    const dark = parts.filter((part) => mark.test(part));
    const plain = parts.filter((part) => !part.includes("data-bs-") || part === "[data-bs-theme=light]");
    const as = (theme) => dark.map((part) => part.replace(mark, `:root[data-theme=${theme}]`)).join(",");
    if (plain.length) out.push(`${plain.join(",")}{${body}}`);
    if (dark.length) {
      out.push(`${as("dark")}{${body}}`);
      auto.push(`${as("auto")}{${body}}`);
    }
  }
  return `${out.join("\n")}\n@media (prefers-color-scheme:dark){${auto.join("\n")}}`;
}

/** Our `@dark { … }` blocks: declarations for the dark theme, chosen or followed. */
function themed(css) {
  return css.replace(/@dark\s*\{([^}]*)\}/g, (_, body) =>
    `:root[data-theme=dark]{${body}}@media (prefers-color-scheme:dark){:root[data-theme=auto]{${body}}}`);
}

const style = (name) => themed(readFileSync(join(own, "css", `${name}.css`), "utf8"));
const SHEETS = {
  "m.css": () => [style("tokens"), weui(), style("common"), style("m")],
  "desk.css": () => [tabler(), style("tokens"), style("common"), style("desk")],
  "print.css": () => [style("print")],
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const manifest = {};

function emit(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const file = name.replace(/(\.\w+)$/, `-${hash}$1`);
  writeFileSync(join(dist, file), content);
  manifest[name] = file;
}

for (const [name, parts] of Object.entries(SHEETS)) {
  const { code } = await transform(parts().join("\n"), { loader: "css", minify: true, target });
  emit(name, code);
}
emit("icon.svg", readFileSync(join(own, "icon.svg")));

// One build per entry: a page loads one script; only the QR decoder is a chunk that comes later.
for (const name of ["m", "desk", "print"]) {
  const { metafile } = await build({
    entryPoints: [join(own, "js", `${name}.js`)], outdir: dist, bundle: true, minify: true, splitting: true,
    format: "esm", target, metafile: true, entryNames: "[name]-[hash]", chunkNames: "[name]-[hash]",
    legalComments: "none", nodePaths: [join(here, "node_modules")], logLevel: "warning",
  });
  const [path] = Object.entries(metafile.outputs).find(([, output]) => output.entryPoint?.endsWith(`js/${name}.js`));
  manifest[`${name}.js`] = basename(path);
}
writeFileSync(join(dist, "manifest.json"), JSON.stringify(manifest, null, 2));

for (const file of readdirSync(dist).filter((name) => !name.endsWith(".json"))) {
  const content = readFileSync(join(dist, file));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  const packed = brotliCompressSync(content, { params });
  writeFileSync(join(dist, `${file}.br`), packed);
  writeFileSync(join(dist, `${file}.gz`), gzipSync(content, { level: 9 }));
  console.log(`${file}  ${content.length} → ${packed.length} B`);
}
