import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { rate } from "../src/assets/expressions.ts";
import { serviceLabel } from "../src/assets/selection.ts";
import { dashboard, type Row } from "./dashboard.ts";
import { stat, timeSeries } from "./panels.ts";
import { gauge, grouped, rateBy, serviceLegend } from "./queries.ts";

const now: Row = {
  title: "Now",
  panels: [
    stat({
      title: "Oldest confirmation",
      description: "Time since discovery last confirmed the endpoints in use, of the service and process where it is longest.",
      unit: "s",
      query: { expr: gauge("max", "inmesh.discovery.age", ""), legend: "age" },
      bad: { above: 300 },
      width: 6,
    }),
    stat({
      title: "Failures",
      description: "Failures of discovery per second. The last known endpoints stay in use.",
      unit: "ops",
      query: { expr: `${rate(grouped(""), "inmesh.discovery.errors")} or vector(0)`, legend: "failures" },
      width: 6,
    }),
    stat({
      title: "Unconfirmed endpoints",
      description: "Endpoints kept although discovery no longer lists them: an answer was empty or much shorter than the one before.",
      unit: "short",
      query: { expr: gauge("sum", "inmesh.discovery.unconfirmed", ""), legend: "endpoints" },
      bad: { above: 1 },
      width: 6,
    }),
    stat({
      title: "Unusable entries",
      description: "Entries of answers per second that could not be read as endpoints.",
      unit: "ops",
      query: { expr: `${rate(grouped(""), "inmesh.discovery.rejected")} or vector(0)`, legend: "entries" },
      width: 6,
    }),
  ],
};

const answers: Row = {
  title: "Answers",
  panels: [
    timeSeries({
      title: "Age by service",
      description:
        "Time since discovery last confirmed the endpoints in use, of the process where it is longest. It grows between two answers.",
      unit: "s",
      min: 0,
      queries: [{ expr: gauge("max", "inmesh.discovery.age"), legend: serviceLegend }],
    }),
    timeSeries({
      title: "Answers by outcome",
      description: "Answers of discovery per second; `quarantined` answers take effect only once they are confirmed.",
      unit: "ops",
      min: 0,
      queries: [rateBy("inmesh.discovery.updates", "inmesh_discovery_outcome")],
    }),
    timeSeries({
      title: "Failures by error",
      description: "Failures of discovery per second, by the code of the error.",
      unit: "ops",
      min: 0,
      queries: [rateBy("inmesh.discovery.errors", "error_type")],
    }),
    timeSeries({
      title: "Unusable entries by service",
      description: "Entries of answers per second that could not be read as endpoints.",
      unit: "ops",
      min: 0,
      queries: [{ expr: rate(grouped(), "inmesh.discovery.rejected"), legend: serviceLegend }],
    }),
    timeSeries({
      title: "Unconfirmed endpoints by service",
      description: "Endpoints kept although discovery no longer lists them, of the process that keeps the most.",
      unit: "short",
      min: 0,
      queries: [{ expr: gauge("max", "inmesh.discovery.unconfirmed"), legend: serviceLegend }],
    }),
    timeSeries({
      title: "Endpoints by state",
      description: "Endpoints that discovery lists, by their state, averaged over processes.",
      unit: "short",
      min: 0,
      queries: [
        {
          expr: gauge("avg", "inmesh.endpoints", `${serviceLabel}, inmesh_endpoint_state`),
          legend: `${serviceLegend} {{inmesh_endpoint_state}}`,
        },
      ],
    }),
  ],
};

const endpointsAndZones: Row = {
  title: "Endpoints and zones",
  panels: [
    timeSeries({
      title: "Endpoints by service",
      description: "Endpoints that discovery lists, of the process with the most and of the one with the fewest.",
      unit: "short",
      min: 0,
      queries: (["max", "min"] as const).map((how) => ({
        expr: `${how} by (${serviceLabel}) (${gauge("sum", "inmesh.endpoints", `${serviceLabel}, job, instance`)})`,
        legend: `${serviceLegend} ${how}`,
      })),
      width: 12,
    }),
    timeSeries({
      title: "Attempts by zone",
      description: "Attempts per second to instances in the caller's zone, in another, and where one of the two zones is unknown.",
      unit: "reqps",
      min: 0,
      queries: [rateBy("inmesh.client.picks", "inmesh_zone")],
      width: 12,
    }),
  ],
};

const registrations: Row = {
  title: "Registrations of the processes themselves",
  panels: [
    timeSeries({
      title: "Registrations by state",
      description:
        "Registrations of the processes as instances of a service, one for each registry; `pending` and `failing` ones are not listed, or soon not.",
      unit: "short",
      min: 0,
      queries: [
        {
          expr: gauge("sum", "inmesh.registrations", `${serviceLabel}, inmesh_registration_state`),
          legend: `${serviceLegend} {{inmesh_registration_state}}`,
        },
      ],
      width: 12,
    }),
    timeSeries({
      title: "Lost registrations",
      description: "Registrations per second that a registry had lost, or had given to another process.",
      unit: "ops",
      min: 0,
      queries: [{ expr: rate(grouped(), "inmesh.registration.losses"), legend: serviceLegend }],
      width: 12,
    }),
  ],
};

const servers: Row = {
  title: "Servers of the processes themselves",
  panels: [
    timeSeries({
      title: "Servers by state",
      description:
        "Servers (`inmesh/server`) of the processes by state; a `lame-duck` has left the registry, a `draining` one accepts nothing new.",
      unit: "short",
      min: 0,
      queries: [
        {
          expr: gauge("sum", "inmesh.servers", `${serviceLabel}, inmesh_server_state`),
          legend: `${serviceLegend} {{inmesh_server_state}}`,
        },
      ],
      width: 12,
    }),
    timeSeries({
      title: "Requests cut off",
      description: "Requests per second that had not ended when their server stopped.",
      unit: "ops",
      min: 0,
      queries: [{ expr: rate(grouped(), "inmesh.server.cut_off"), legend: serviceLegend }],
      width: 12,
    }),
  ],
};

/** Discovery: the age of the endpoints in use, the answers of the registry, and the endpoints and zones that result. */
export function discovery(): Dashboard {
  return dashboard({
    name: "discovery",
    title: "Discovery",
    description: "The endpoints of the services: age, state, and the answers of discovery.",
    rows: [now, answers, endpointsAndZones, registrations, servers],
  });
}
