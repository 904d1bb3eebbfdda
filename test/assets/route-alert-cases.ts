import { type Spelling, spelled } from "../../src/assets/spelling.ts";
import type { AlertCase, InputSeries } from "./alert-cases.ts";

/** How the cases write their series. */
interface Written {
  readonly spelling: Spelling;
  readonly labelled: (name: string, labels: Readonly<Record<string, string>>, values: string) => InputSeries;
  readonly series: (metric: string, labels: Readonly<Record<string, string>>, values: string, suffix?: string) => InputSeries;
}

/** A case for each alert on routes. */
export function routeCases({ labelled, series, spelling }: Written): readonly AlertCase[] {
  const calls = (outcome: string, values: string, rule = "split"): InputSeries =>
    labelled(
      spelled("inmesh.route.calls", spelling),
      { inmesh_outcome: outcome, inmesh_route_rule: rule, inmesh_route_target: "new" },
      values,
    );
  const ofShadow = { server_service_name: "orders", inmesh_route_rule: "shadow" };
  const sent = (values: string): InputSeries =>
    series("inmesh.mirrors", { inmesh_route_rule: "shadow", inmesh_mirror_outcome: "answered" }, values);
  const leftOut = (values: string): InputSeries =>
    series("inmesh.mirrors.left_out", { inmesh_route_rule: "shadow", inmesh_mirror_omission: "in-flight" }, values);
  const faults = (values: string): InputSeries => series("inmesh.faults", { inmesh_route_rule: "slow", inmesh_fault: "delay" }, values);
  const canary = (state: string, values: string): InputSeries =>
    labelled(spelled("inmesh.canary.state", spelling), { inmesh_route_rule: "checkout", inmesh_canary_state: state }, values);
  return [
    {
      alert: "InmeshCanaryRolledBack",
      at: "20m",
      labels: { inmesh_route_rule: "checkout" },
      firing: [canary("rolled-back", "0x10 1x60"), canary("stepping", "1x10 0x60")],
      value: "1",
      quiet: [
        [canary("rolled-back", "0x60"), canary("holding", "1x60")],
        // Resumed.
        [canary("rolled-back", "0x5 1x5 0x60")],
      ],
    },
    {
      alert: "InmeshRouteFailing",
      at: "30m",
      labels: { inmesh_route_rule: "split", inmesh_route_target: "new" },
      firing: [calls("error", "0+30x60"), calls("success", "0x60")],
      value: "100%",
      quiet: [
        [calls("error", "0+30x60"), calls("success", "0+30x60")],
        // Few, given up by their callers, and of no rule.
        [calls("error", "0+1x60")],
        [calls("cancelled", "0+30x60")],
        [calls("error", "0+30x60", "_none")],
      ],
    },
    {
      alert: "InmeshMirrorDropping",
      at: "40m",
      labels: ofShadow,
      firing: [leftOut("0+30x60"), sent("0+90x60")],
      value: "25%",
      quiet: [
        [leftOut("0+3x60"), sent("0+900x60")],
        [leftOut("0+1x60"), sent("0x60")],
      ],
    },
    {
      alert: "InmeshFaultInjected",
      at: "90m",
      labels: { server_service_name: "orders", inmesh_route_rule: "slow", inmesh_fault: "delay" },
      firing: [faults("0+30x120")],
      value: "0.50",
      quiet: [
        [faults("7x120")],
        // They have ended within the hour.
        [faults("0+30x20 600x100")],
      ],
    },
  ];
}
