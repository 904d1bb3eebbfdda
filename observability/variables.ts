import {
  ConstantVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { type Scope, select, serviceLabel } from "../src/assets/selection.ts";

/** The data source of every panel: a variable. */
export const datasource = { type: "prometheus", uid: "$datasource" };

const chosen = { job: 'job=~"$job"', instance: 'instance=~"$instance"', service: `${serviceLabel}=~"$service"` };

/** The selection by the variables of the dashboard. */
export const chosenScope: Scope = { spelling: "otlp", common: [chosen.job, chosen.instance], service: [chosen.service] };

/** The variables of a dashboard, in their order. `isForOne`: one service is chosen, not several. */
export function variables(isForOne: boolean): readonly (DatasourceVariableBuilder | QueryVariableBuilder)[] {
  const every = new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus");
  const seenIn = (common: readonly string[]): string =>
    select({ ...chosenScope, common, service: [] }, "inmesh.client.call.duration", [], "count");
  const labelled = (name: string, label: string, query: string, of: string): QueryVariableBuilder =>
    new QueryVariableBuilder(name)
      .label(label)
      .datasource(datasource)
      .query({ query: `label_values(${query}, ${of})`, refId: name })
      .definition(`label_values(${query}, ${of})`)
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.AlphabeticalAsc);
  const several = (variable: QueryVariableBuilder): QueryVariableBuilder =>
    variable.multi(true).includeAll(true).allValue(".+").current({ text: "All", value: "$__all" });
  const service = labelled("service", "Service", seenIn([chosen.job, chosen.instance]), serviceLabel);
  return [
    every,
    several(labelled("job", "Job", seenIn([]), "job")),
    several(labelled("instance", "Instance", seenIn([chosen.job]), "instance")),
    isForOne ? service : several(service),
  ];
}

/** The objective of the panel about the error budget; `src/assets/dashboards.ts` sets it. */
export function objective(share: number): ConstantVariableBuilder {
  return new ConstantVariableBuilder("objective").label("Objective").value(String(share));
}
