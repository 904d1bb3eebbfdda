// node bench/plot.ts: draws docs/reference/performance.svg from bench/baseline.json.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readBaseline } from "./baseline.ts";

interface Bar {
  readonly label: string;
  /** CPU, as a multiple of Node's fetch. */
  readonly value: number;
}

interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const width = 760;
const left = 210;
const right = 60;
const barHeight = 18;
const gap = 6;
const titleHeight = 34;
const base = "Node's fetch";

const { node, benches } = readBaseline();

/** Every client's CPU per call of one method, the cheapest first. */
function overheadGroup(method: "GET" | "POST", title: string): Group {
  const bars: Bar[] = [{ label: base, value: 1 }];
  for (const [name, value] of Object.entries(benches["overhead"] ?? {})) {
    const suffix = ` ${method} × ${base}`;
    if (name.endsWith(suffix)) bars.push({ label: name.slice(0, -suffix.length), value });
  }
  return { title, bars: bars.sort((a, b) => a.value - b.value) };
}

/** Client and proxy together, against Node's fetch without a proxy. */
function sidecarGroup(title: string): Group {
  const ratios = benches["sidecar"] ?? {};
  const direct = ratios["mesh.fetch × Node's fetch, no proxy"] ?? Number.NaN;
  const through = (proxy: string): Bar => ({
    label: `${base} + ${proxy}`,
    value: direct / (ratios[`mesh.fetch × Node's fetch, ${proxy}`] ?? Number.NaN),
  });
  return { title, bars: [{ label: "mesh.fetch", value: direct }, { label: base, value: 1 }, through("nginx"), through("Envoy")] };
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

const groups = [
  overheadGroup("GET", "GET of 250 bytes: CPU of the client"),
  overheadGroup("POST", "POST of 1 KiB: CPU of the client"),
  sidecarGroup("GET of 250 bytes: CPU of client and proxy"),
];
const longest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)));
const scale = (width - left - right) / longest;
const lines: string[] = [];
let y = 34;
for (const { title, bars } of groups) {
  lines.push(`<text x="12" y="${y + 20}" font-weight="bold">${escaped(title)}</text>`);
  y += titleHeight;
  const top = y;
  for (const { label, value } of bars) {
    const length = (value * scale).toFixed(1);
    const fill = label.startsWith("mesh") ? "#0f766e" : "#94a3b8";
    lines.push(
      `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${left}" y="${y}" width="${length}" height="${barHeight}" fill="${fill}"/>`,
      `<text x="${(left + value * scale + 6).toFixed(1)}" y="${y + 13}">${value.toFixed(2)}</text>`,
    );
    y += barHeight + gap;
  }
  const one = (left + scale).toFixed(1);
  lines.push(`<line x1="${one}" y1="${top - 4}" x2="${one}" y2="${y - 2}" stroke="#334155" stroke-dasharray="3 3"/>`);
  y += 10;
}

const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" role="img" font-family="sans-serif" font-size="13" fill="#0f172a">
<title>CPU per call as a multiple of Node's fetch</title>
<rect width="${width}" height="${y}" fill="#ffffff"/>
<text x="12" y="24" font-size="14">CPU per call as a multiple of ${base} (loopback, Node ${node}); shorter is better</text>
${lines.join("\n")}
</svg>
`;
writeFileSync(join(import.meta.dirname, "..", "docs", "reference", "performance.svg"), svg);
