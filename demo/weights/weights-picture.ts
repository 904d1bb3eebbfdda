import { type Column, table } from "../../src/cli/terminal/table.ts";
import { wrapped } from "../../src/cli/terminal/wrap.ts";

/** An instance of the demo of weights, at one moment. */
export interface WeighedInstance {
  readonly name: string;
  /** CPUs that it may use. */
  readonly cpus: number;
  /** The share of all requests that it can do, 0–1. */
  readonly canDo: number;
  /** The share of the latest requests that it got, 0–1. */
  readonly gets: number;
  /** The weight by its reports; `undefined` while there is none. */
  readonly weight: number | undefined;
  /** The state of its reports. */
  readonly report: string;
}

/** The contents of the picture. */
export interface WeightsState {
  readonly title: string;
  readonly seconds: number;
  readonly instances: readonly WeighedInstance[];
}

const leastBar = 8;
const maxBar = 50;
/** The columns of all that is beside the bar, in the widest case. */
const beside = 52;

/** The picture as lines, none of which is wider than `width`. */
export function weightsPicture({ title, seconds, instances }: WeightsState, width: number): readonly string[] {
  const bar = Math.max(leastBar, Math.min(maxBar, width - beside));
  const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;
  const columns: readonly Column<WeighedInstance>[] = [
    { title: "INSTANCE", cell: ({ name }) => name },
    { title: "CPU", cell: ({ cpus }) => cpus.toFixed(2), align: "right", spare: 1 },
    { title: "CAN DO", cell: ({ canDo }) => percent(canDo), align: "right" },
    { title: "GETS", cell: ({ gets }) => percent(gets), align: "right" },
    { title: "WEIGHT", cell: ({ weight }) => (weight === undefined ? "-" : weight.toFixed(0)), align: "right", spare: 2 },
    { title: "REPORTS", cell: ({ report }) => report, spare: 3 },
    { title: "SHARE", cell: ({ gets }) => "█".repeat(Math.round(gets * bar)) },
  ];
  return [...wrapped(`${title}, ${seconds.toFixed(0)} s`, width), "", ...table(columns, instances, false, width)];
}
