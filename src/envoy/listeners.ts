import { quoted } from "../core/text/clean-text.ts";
import { faultType } from "./schema/http-filters.ts";
import { managerType } from "./schema/listener.ts";
import { typeOf } from "./text/kinds.ts";
import type { Part } from "./text/part.ts";
import type { Resources } from "./text/resources.ts";

/** The address of a listener. */
export interface EnvoyAddress {
  readonly host: string;
  readonly port: number;
}

/** The address of the listener that has this filter; `undefined` for one that is no address of a port. */
export function addressOf(listeners: readonly Part[], manager: Part | undefined): EnvoyAddress | undefined {
  const listener = manager === undefined ? undefined : listeners.find((each) => managersIn(each).includes(manager));
  const address = listener?.at("address", "socket_address");
  const [host, port] = [address?.text("address"), address?.number("port_value")];
  return host === undefined || port === undefined ? undefined : { host, port };
}

/** The filter that serves HTTP, of the listener that counts; `undefined` where the file has no listener. */
export function managerOf(listeners: readonly Part[], wanted: string | undefined, root: Part): Part | undefined {
  const serving = listeners.flatMap((listener) =>
    managersIn(listener).map((manager) => ({ listener, manager, name: listener.peek("name") ?? "" })),
  );
  const chosen = wanted === undefined ? serving : serving.filter(({ name }) => name === wanted);
  const names = [...new Set(serving.map(({ name }) => quoted(name)))].join(", ");
  if (wanted !== undefined && chosen.length === 0)
    return root.refuse(`there is no listener ${quoted(wanted)} that serves HTTP; there are ${names}`);
  const [first, second] = chosen;
  if (second !== undefined)
    return second.manager.refuse(
      second.listener === first?.listener
        ? "the listener has several filter chains with routes; a mesh has one table of routes"
        : `several listeners serve HTTP: ${names}; choose one of them (listener)`,
    );
  for (const { listener } of serving.filter((each) => !chosen.includes(each))) {
    listener.settle();
    listener.notice("nothing", "Listener", "the routes of another listener count");
  }
  for (const { listener } of chosen) {
    const address = listener.at("address");
    address?.settle();
    address?.notice("nothing", "Listener.address", "a mesh listens nowhere; its calls go by the routes. `inmesh gateway` listens");
  }
  return first?.manager;
}

/** The filters of a listener that serve HTTP. */
function managersIn(listener: Part): readonly Part[] {
  const api = listener.at("api_listener", "api_listener");
  if (api !== undefined) return [api];
  const chains = [...listener.list("filter_chains"), ...[listener.at("default_filter_chain") ?? []].flat()];
  return chains
    .flatMap((chain) => chain.list("filters"))
    .flatMap((filter) => {
      const config = filter.at("typed_config");
      return config !== undefined && typeOf(config) === managerType ? [config] : [];
    });
}

/** The table of routes of a filter: its own, or that of a file. */
export function tableOf(manager: Part, resources: Resources): Part {
  const own = manager.at("route_config");
  if (own !== undefined) return own;
  const rds = manager.at("rds") ?? manager.refuse("HttpConnectionManager must have a route_config, or rds with a file");
  const source = rds.at("config_source");
  if (source?.at("path_config_source") === undefined) return rds.refuse("Rds.config_source needs a path_config_source");
  return resources.named(source, "envoy.config.route.v3.RouteConfiguration", "name", rds.text("route_config_name") ?? "");
}

/** The filters of requests, in their order. The router must be the last. */
export function filtersOf(manager: Part): readonly Part[] {
  const filters = manager.list("http_filters");
  const faults = filters.filter((each) => typeOf(each.fields?.get("typed_config")) === faultType);
  // What the others are has been said by their types.
  for (const each of filters) if (!faults.includes(each)) each.at("typed_config")?.settle();
  const [, second] = faults.filter((each) => each.flag("disabled") !== true);
  second?.refuse("HttpConnectionManager.http_filters: a route has one fault; there are several filters for it");
  return faults;
}
