import { serviceLabel } from "./selection.ts";

/** The receivers of alerts. */
export interface Receivers {
  /** Webhook for alerts of severity `page`. */
  readonly page: string;
  /** Webhook for alerts of severity `ticket`. */
  readonly ticket: string;
}

/** An Alertmanager configuration: routes by severity, and inhibitions of alerts that another alert of the same service explains. */
export function alertmanagerConfig({ page, ticket }: Receivers): Readonly<Record<string, unknown>> {
  const sameService = ["job", serviceLabel];
  return {
    route: {
      receiver: "ticket",
      group_by: ["alertname", ...sameService],
      group_wait: "30s",
      group_interval: "5m",
      repeat_interval: "12h",
      routes: [
        { matchers: ['severity="page"'], receiver: "page", group_wait: "10s", repeat_interval: "1h" },
        { matchers: ['severity="ticket"'], receiver: "ticket" },
      ],
    },
    inhibit_rules: [
      {
        // Without endpoints every call fails: these alerts are consequences.
        source_matchers: ['alertname="InmeshNoEndpoints"'],
        target_matchers: [
          'alertname=~"InmeshErrorBudget.*|InmeshRetriesHideFailures|InmeshRetryStorm|InmeshRetryBudgetExhausted|InmeshBreakerOpen|InmeshPanic|InmeshEjectionsHigh|InmeshDeadlineExceeded"',
        ],
        equal: sameService,
      },
      {
        source_matchers: ['alertname="InmeshErrorBudgetBurnFast"'],
        target_matchers: ['alertname=~"InmeshErrorBudgetBurnSlow|InmeshErrorBudgetSpent"'],
        equal: sameService,
      },
    ],
    receivers: [
      { name: "page", webhook_configs: [{ url: page, send_resolved: true }] },
      { name: "ticket", webhook_configs: [{ url: ticket, send_resolved: true }] },
    ],
  };
}
