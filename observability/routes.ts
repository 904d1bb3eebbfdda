import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { rate, ratio } from "../src/assets/expressions.ts";
import { select } from "../src/assets/selection.ts";
import { dashboard, type Row } from "./dashboard.ts";
import { stat, timeSeries } from "./panels.ts";
import { grouped, serviceLegend } from "./queries.ts";

const all = grouped("");
const ofRule = grouped("job, inmesh_route_rule");
const ofTarget = grouped("job, inmesh_route_rule, inmesh_route_target");
const ofMirror = grouped("server_service_name, inmesh_route_rule");
const ruleLegend = "{{inmesh_route_rule}}";
const targetLegend = "{{inmesh_route_rule}} {{inmesh_route_target}}";
const mirrorLegend = `${serviceLegend} by ${ruleLegend}`;
const calls = "inmesh.route.calls";
const mirrors = "inmesh.mirrors";
const leftOut = "inmesh.mirrors.left_out";
const faults = "inmesh.faults";
const failures = ['inmesh_outcome=~"error|rejected"'];
const ofARule = ['inmesh_route_rule!="_none"'];

const now: Row = {
  title: "Now",
  panels: [
    stat({
      title: "Calls by a rule",
      description: "The share of the calls of these meshes that a rule has decided on. The others go where their callers sent them.",
      unit: "percentunit",
      query: { expr: ratio(rate(all, calls, ofARule), rate(all, calls)), legend: "by a rule" },
      width: 6,
    }),
    stat({
      title: "Calls by a rule that fail",
      description: "The share of the calls by a rule that fail or are refused.",
      unit: "percentunit",
      query: { expr: ratio(rate(all, calls, [...ofARule, ...failures]), rate(all, calls, ofARule)), legend: "failed" },
      bad: { above: 0.01 },
      width: 6,
    }),
    stat({
      title: "Copies left out",
      description: "Copies per second that rules ask for and that were not sent.",
      unit: "reqps",
      query: { expr: `${rate(all, leftOut)} or vector(0)`, legend: "left out" },
      bad: { above: 1 },
      width: 6,
    }),
    stat({
      title: "Faults on purpose",
      description: "Faults per second that rules make.",
      unit: "reqps",
      query: { expr: `${rate(all, faults)} or vector(0)`, legend: "faults" },
      width: 6,
    }),
  ],
};

const rules: Row = {
  title: "Rules and targets",
  panels: [
    timeSeries({
      title: "Calls by rule",
      description: "Calls per second by the rule that has decided on them; `_none`: no rule has matched.",
      unit: "reqps",
      min: 0,
      queries: [{ expr: rate(ofRule, calls), legend: ruleLegend }],
      width: 12,
    }),
    timeSeries({
      title: "Failures by rule and target",
      description: "The share of the calls by each rule and target that fail or are refused. All of them: it may lead to nothing.",
      unit: "percentunit",
      min: 0,
      queries: [{ expr: ratio(rate(ofTarget, calls, failures), rate(ofTarget, calls)), legend: targetLegend }],
      width: 12,
    }),
    timeSeries({
      title: "Calls by target of splits",
      description: "Calls per second by the target of a split that they were sent to.",
      unit: "reqps",
      min: 0,
      queries: [{ expr: rate(ofTarget, calls, ['inmesh_route_target!=""']), legend: targetLegend }],
      width: 12,
    }),
    timeSeries({
      title: "Share of each target",
      description: "The part of the calls of a split that each of its targets gets.",
      unit: "percentunit",
      min: 0,
      queries: [
        {
          expr: `${rate(ofTarget, calls, ['inmesh_route_target!=""'])} / on (job, inmesh_route_rule) group_left () ${rate(ofRule, calls, ['inmesh_route_target!=""'])}`,
          legend: targetLegend,
        },
      ],
      width: 12,
    }),
  ],
};

const copies: Row = {
  title: "Mirrors",
  panels: [
    timeSeries({
      title: "Copies by outcome",
      description: "Copies of calls per second that have ended, by their outcome: `answered` below 500.",
      unit: "reqps",
      min: 0,
      queries: [
        {
          expr: rate({ ...ofMirror, by: `${ofMirror.by}, inmesh_mirror_outcome` }, mirrors),
          legend: `${mirrorLegend} {{inmesh_mirror_outcome}}`,
        },
      ],
    }),
    timeSeries({
      title: "Copies left out by reason",
      description: "Copies of calls per second that a rule asks for and that were not sent.",
      unit: "reqps",
      min: 0,
      queries: [
        {
          expr: rate({ ...ofMirror, by: `${ofMirror.by}, inmesh_mirror_omission` }, leftOut),
          legend: `${mirrorLegend} {{inmesh_mirror_omission}}`,
        },
      ],
    }),
    timeSeries({
      title: "Copies that fail",
      description: "The share of the copies that end with a 5xx, an error or their time limit.",
      unit: "percentunit",
      min: 0,
      queries: [
        { expr: ratio(rate(ofMirror, mirrors, ['inmesh_mirror_outcome!="answered"']), rate(ofMirror, mirrors)), legend: mirrorLegend },
      ],
    }),
  ],
};

const faultsRow: Row = {
  title: "Faults on purpose",
  panels: [
    timeSeries({
      title: "Faults by rule",
      description: "Faults per second that rules make on purpose, by their kind.",
      unit: "reqps",
      min: 0,
      queries: [
        {
          expr: rate({ ...ofMirror, by: `${ofMirror.by}, inmesh_fault` }, faults),
          legend: `${mirrorLegend} {{inmesh_fault}}`,
        },
      ],
      width: 24,
    }),
  ],
};

const canaries: Row = {
  title: "Canaries",
  panels: [
    timeSeries({
      title: "Share of canaries",
      description:
        "The share of the calls of its rule that each canary gets, in the process that gives it most: steps, and 0 after a roll-back.",
      unit: "percentunit",
      min: 0,
      queries: [{ expr: `max by (job, inmesh_route_rule) (${select(all.scope, "inmesh.canary.share")})`, legend: ruleLegend }],
      width: 12,
    }),
    timeSeries({
      title: "States of canaries",
      description: "Processes by the state of each of their canaries. Two states at a time for long: they decide alone.",
      unit: "short",
      min: 0,
      queries: [
        {
          expr: `sum by (job, inmesh_route_rule, inmesh_canary_state) (${select(all.scope, "inmesh.canary.state")})`,
          legend: `${ruleLegend} {{inmesh_canary_state}}`,
        },
      ],
      width: 12,
    }),
    timeSeries({
      title: "Changes of canaries",
      description: "Changes per second of canaries by kind: steps, roll-backs, a shared state that is lost.",
      unit: "ops",
      min: 0,
      queries: [
        {
          expr: rate(grouped("job, inmesh_route_rule, inmesh_canary_change"), "inmesh.canary.changes"),
          legend: `${ruleLegend} {{inmesh_canary_change}}`,
        },
      ],
      width: 24,
    }),
  ],
};

/** The rules that calls are routed by: which are used, which fail, what copies and faults they make. */
export function routes(): Dashboard {
  return dashboard({
    name: "routes",
    title: "Routes",
    description: "The rules that calls are routed by: which are used, which fail, and the copies and faults that they make.",
    rows: [now, rules, canaries, copies, faultsRow],
  });
}
