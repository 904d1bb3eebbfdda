import { startChild } from "./children.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";
import { exchanges, type ScrapeSample } from "./scrape-process.ts";

const services = 20;
const endpoints = 1_000;

/** Measures the time and size of a scrape of `inmesh/prometheus` with many endpoints and services. */
export async function scrape(rounds = 15): Promise<BenchReport> {
  await using stack = new AsyncDisposableStack();
  const cases: Record<string, () => Promise<Readonly<Record<string, number>>>> = {};
  for (let kinds = 1; kinds <= exchanges.length; kinds++) {
    const what = exchanges.slice(0, kinds).map(([method, status]) => `${method} ${status}`);
    const child = stack.use(await startChild<"scrape", ScrapeSample>("scrape-process.ts", [services, endpoints, kinds].map(String)));
    cases[what.join(", ")] = async () => ({ ...(await child.ask("scrape")) });
  }
  const names = Object.keys(cases);
  const measured = await measureRounds("scrape", rounds, cases);
  const kilobytes = (name: string, field: string) => measured.median(name, field) / 1_000;
  // Every Prometheus asks for compressed text; the bound is for the size of the text itself.
  const [usual, largest] = [names[1], names.at(-1)] as [string, string];
  return {
    bench: "scrape",
    about: `one scrape of a mesh that has called ${services} services of ${endpoints} endpoints each, by what each was asked and answered`,
    node: measuredVersion(),
    rounds,
    columns: ["each service", "lines", "kB", "kB gzip", "ms to the text", "ms over a socket", "ms CPU, client included"],
    rows: names.map((name) => [
      name,
      measured.median(name, "lines"),
      kilobytes(name, "bytes"),
      kilobytes(name, "gzipBytes"),
      measured.median(name, "textMs"),
      measured.median(name, "httpMs"),
      measured.median(name, "cpuMs"),
    ]),
    bounds: [
      atMost(`kB of a scrape, ${usual}:`, kilobytes(usual, "bytes"), 300),
      atMost(`kB of a scrape with gzip, ${largest}:`, kilobytes(largest, "gzipBytes"), 300),
      atMost(`ms of a scrape over a socket, ${largest}:`, measured.median(largest, "httpMs"), 20),
    ],
    ratios: {},
  };
}
