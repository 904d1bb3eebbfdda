import type { EndpointExplanation } from "../../index.ts";
import { plain } from "../terminal/plain.ts";
import type { Style } from "../terminal/terminal.ts";
import { padTo, widthOf } from "../terminal/width.ts";
import { wrapped } from "../terminal/wrap.ts";
import type { Totals } from "./demo-statistics.ts";

/** A line of a picture: pieces of text, each in its style. */
export type Line = readonly (readonly [text: string, style?: Style])[];

/** The contents of a picture. */
export interface DemoState {
  readonly title: string;
  readonly endpoints: readonly Pick<EndpointExplanation, "endpoint" | "address" | "state" | "avoided" | "latencyMs" | "candidate">[];
  /** Attempts of the last second by endpoint id. */
  readonly share: ReadonlyMap<string, number>;
  readonly totals: Totals;
  readonly events: readonly string[];
}

/** The size of the terminal. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const maxEvents = 10;
const maxBar = 30;
/** With less room for the bar, the address is left out. */
const leastBar = 10;
/** Behind the time of an event. */
const eventIndent = 9;

/** The picture of a running demo: no line is wider than the terminal, and with the line below it fits on the screen, the oldest events apart. */
export function pictureOf(state: DemoState, { columns, rows }: ScreenSize): readonly Line[] {
  const above: readonly Line[] = [
    ...wrapped(plain(state.title), columns).map((text): Line => [[text, "bold"]]),
    [],
    ...instanceLines(state, columns),
    [],
    ...totalsLines(state.totals, columns).map((text): Line => [[text]]),
    [],
  ];
  const room = Math.max(0, Math.min(2 * maxEvents, rows - above.length - 1));
  const events = state.events.slice(-maxEvents).flatMap((event) => wrapped(plain(event), columns, " ".repeat(eventIndent)));
  return [...above, ...events.slice(Math.max(0, events.length - room)).map((text): Line => [[text]])];
}

/** The columns that a line takes. */
export function widthOfLine(line: Line): number {
  return line.reduce((sum, [text]) => sum + widthOf(text), 0);
}

/** A line for each instance: its name, its address, its share of the attempts as a bar, its latency and state. */
export function instanceLines({ endpoints, share }: Pick<DemoState, "endpoints" | "share">, columns: number): readonly Line[] {
  const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(widthOf));
  const ids = endpoints.map(({ endpoint }) => plain(endpoint.id));
  const addresses = endpoints.map(({ address }) => plain(address));
  const idWidth = widest(ids);
  const figures = endpoints.map((each) => `${each.latencyMs.toFixed(0).padStart(4)} ms  ${stateOf(each)}`);
  // One space on each side of the bar, and its share in percent.
  const others = idWidth + 2 + " 100 %  ".length + widest(figures);
  const hasAddresses = columns - others - widest(addresses) - 1 >= leastBar;
  const bar = Math.max(0, Math.min(maxBar, columns - others - (hasAddresses ? widest(addresses) + 1 : 0)));
  const all = Math.max(
    1,
    [...share.values()].reduce((sum, count) => sum + count, 0),
  );
  return endpoints.map(({ endpoint, candidate, avoided }, index): Line => {
    const part = (share.get(endpoint.id) ?? 0) / all;
    const address = hasAddresses ? ` ${padTo(addresses[index] ?? "", widest(addresses), "left")}` : "";
    return [
      [`${padTo(ids[index] ?? "", idWidth, "left")}${address} `],
      ["█".repeat(Math.round(part * bar)).padEnd(bar), candidate ? (avoided === undefined ? "green" : "yellow") : "red"],
      [` ${(part * 100).toFixed(0).padStart(3)} %  ${figures[index]}`],
    ];
  });
}

/** The state, and whether the picker avoids the instance; the events say why. */
function stateOf({ state, avoided }: Pick<EndpointExplanation, "state" | "avoided">): string {
  return avoided === undefined ? state : `${state}, avoided`;
}

/** The counts, in as few lines as they fit into. */
export function totalsLines(totals: Totals, columns: number): readonly string[] {
  const { getOk, getFailed, postOk, postFailed, retries, breakerOpened, avoided } = totals;
  const parts = [
    `GET ${getOk} ok, ${getFailed} failed`,
    `POST ${postOk} ok, ${postFailed} failed`,
    `${retries} retries`,
    `breakers opened ${breakerOpened}×`,
    `instances avoided ${avoided}×`,
  ];
  const lines: string[] = [];
  for (const part of parts) {
    const longer = `${lines.at(-1)}   ${part}`;
    if (lines.length > 0 && longer.length <= columns) lines[lines.length - 1] = longer;
    else lines.push(part);
  }
  return lines;
}
