import { type Spelling, spelled } from "../../src/assets/spelling.ts";
import type { AlertCase, InputSeries } from "./alert-cases.ts";

/** How the cases write their series. */
interface Written {
  readonly spelling: Spelling;
  readonly labelled: (name: string, labels: Readonly<Record<string, string>>, values: string) => InputSeries;
}

/** A case for each alert on configurations. */
export function configCases({ labelled, spelling }: Written): readonly AlertCase[] {
  const gauge = (metric: string, values: string): InputSeries => labelled(spelled(metric, spelling), {}, values);
  return [
    {
      alert: "InmeshConfigRefused",
      at: "10m",
      labels: { instance: "a" },
      firing: [gauge("inmesh.config.refused", "1x60")],
      value: "",
      // Half a file is mended by the next look at it.
      quiet: [[gauge("inmesh.config.refused", "0x60")], [gauge("inmesh.config.refused", "0x5 1x2 0x60")]],
    },
    {
      alert: "InmeshConfigNeedsRestart",
      at: "90m",
      labels: { instance: "a" },
      firing: [gauge("inmesh.config.restart_needed", "2x120")],
      value: "2",
      quiet: [[gauge("inmesh.config.restart_needed", "0x120")]],
    },
  ];
}
