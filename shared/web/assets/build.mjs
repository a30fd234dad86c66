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

/** A package's style sheet without comments and @charset, in esbuild's own spelling. */
async function sheet(name) {
  const { code } = await transform(readFileSync(require.resolve(name), "utf8"), { loader: "css", target, legalComments: "none" });
  return code.replace(/^@charset[^;]*;/, "");
}

/** Top-level rules of a style sheet: [selector or at-rule, body]. */
function rules(css) {
  const found = [];
  let depth = 0, start = 0, open = 0;
  for (const { 0: sign, index } of css.matchAll(/\\.|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|url\([^"')][^)]*\)|[{}]/g)) {
    if (sign === "{" && depth++ === 0) open = index;
    if (sign === "}" && --depth === 0) {
      found.push([css.slice(start, open).trim(), css.slice(open + 1, index).trim()]);
      start = index + 1;
    }
  }
  if (depth) throw new Error("unbalanced style sheet");
  return found;
}

/** The parts of a selector list, commas inside parentheses left alone. */
function selectors(list) {
  let depth = 0;
  return list.split(/([(),])/).reduce((parts, piece) => {
    depth += piece === "(" ? 1 : piece === ")" ? -1 : 0;
    if (piece === "," && depth === 0) parts.push("");
    else parts.push(parts.pop() + piece);
    return parts;
  }, [""]).map((part) => part.trim());
}

/** oklch() inside custom properties as rgb: browsers of 2022 do not know it and esbuild leaves it. */
async function plainColours(css) {
  const colours = [...new Set(css.match(/oklch\([^()]*\)/g))];
  const { code } = await transform(colours.map((colour) => `a{color:${colour}}`).join("\n"), { loader: "css", target, minify: false });
  const known = code.match(/(?<=^ *color: )#\w+|(?<=^ *color: )rgb[^;]*/gm);
  return colours.reduce((text, colour, index) => text.replaceAll(colour, known[index]), css);
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
async function weui() {
  const seen = new Set();
  for (const name of WIDGETS) {
    for (const [selector, body] of rules(await sheet(`weui/dist/style/${name}.css`))) {
      if (selector.startsWith("@") || UNUSED.test(selector) || /^\s*--/.test(body)) continue;
      const plain = selector.split(",").filter((part) => !/wx-root|^page$/.test(part)).join(",");
      if (plain) seen.add(`${plain}{${modern(body)}}`);
    }
  }
  return [...seen].join("\n");
}

/** Tabler whole; its dark rules follow <html data-theme> and, on "auto", the system. */
async function tabler() {
  const css = await plainColours(await sheet("@tabler/core/dist/css/tabler.css"));
  const mark = /^(:root|body)?\[data-bs-theme=dark\](?! \[data-bs-theme)/;
  const out = [], auto = [];
  for (const [selector, body] of rules(css)) {
    const parts = selectors(selector);
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

/** Our `@dark { … }` blocks: declarations for the dark theme, chosen or followed; paper stays white. */
function themed(css) {
  return css.replace(/@dark\s*\{([^}]*)\}/g, (_, body) =>
    `@media screen{:root[data-theme=dark]{${body}}}@media screen and (prefers-color-scheme:dark){:root[data-theme=auto]{${body}}}`);
}

const style = (name) => themed(readFileSync(join(own, "css", `${name}.css`), "utf8"));
const SHEETS = {
  "m.css": async () => [style("tokens"), await weui(), style("common"), style("charts"), style("m")],
  "desk.css": async () => [await tabler(), style("tokens"), style("common"), style("charts"), style("desk")],
  "print.css": async () => [style("charts"), style("print")],
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
  const { code } = await transform((await parts()).join("\n"), { loader: "css", minify: true, target, logLevel: "warning", sourcefile: name });
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
// Their licences ask that the notice goes along with the code.
const notices = ["weui", "@tabler/core", "htmx.org", "qr"].map((name) => {
  const folder = join(here, "node_modules", name);
  const text = readdirSync(folder).filter((file) => /^licen[cs]e/i.test(file)).map((file) => readFileSync(join(folder, file), "utf8"));
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return [`${name} ${version} (${license})`, ...text].join("\n\n");
});
writeFileSync(join(dist, "licenses.txt"), notices.join("\n\n---\n\n"));

writeFileSync(join(dist, "manifest.json"), JSON.stringify(manifest, null, 2));

for (const file of readdirSync(dist).filter((name) => !name.endsWith(".json"))) {
  const content = readFileSync(join(dist, file));
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  const packed = brotliCompressSync(content, { params });
  writeFileSync(join(dist, `${file}.br`), packed);
  writeFileSync(join(dist, `${file}.gz`), gzipSync(content, { level: 9 }));
  console.log(`${file}  ${content.length} → ${packed.length} B`);
}
