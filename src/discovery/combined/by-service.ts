import { checkKeys, checkObject } from "../../core/settings/checks.ts";
import { checkedAnswer } from "../checked-answer.ts";
import { type Discovery, nameOf } from "../discovery.ts";
import { closeAll, requireDiscovery, socketPathsOf } from "./sources.ts";

/** The sources of {@link byService}. */
export interface ServiceSources {
  /** The source of each service, by the name of the service. */
  readonly services: Readonly<Record<string, Discovery>>;
  /** The source of every other service. @default they have no endpoints */
  readonly otherwise?: Discovery;
}

const known: readonly (keyof ServiceSources)[] = ["services", "otherwise"];

/**
 * Each service from a source of its own: `byService({ services: { legacy: staticDiscovery({ … }) }, otherwise: consul() })`. An answer of a source
 * whose `emptyPolicy` is `trust` is certain. Throws a `TypeError` on wrong arguments.
 */
export function byService(options: ServiceSources): Discovery {
  if (options === undefined) throw new TypeError("byService: options are missing: byService({ services: { … } })");
  checkObject("byService: options", options);
  checkKeys("byService", options, known);
  if (options.services === undefined) throw new TypeError("byService: services are missing");
  checkObject("byService: services", options.services);
  const sources = new Map(Object.entries(options.services));
  for (const [service, source] of sources) requireDiscovery(source, `byService: services.${service}`);
  const { otherwise } = options;
  if (otherwise !== undefined) requireDiscovery(otherwise, "byService: otherwise");
  const all = [...new Set([...sources.values(), ...(otherwise === undefined ? [] : [otherwise])])];
  if (all.length === 0) throw new TypeError("byService needs the source of a service, or one for all others");
  const sourceOf = (service: string): Discovery | undefined => sources.get(service) ?? otherwise;
  return {
    name: [...new Set(all.map(nameOf))].join(" and "),
    ...socketPathsOf(all),
    combines: true,
    refresh: (service) => sourceOf(service)?.refresh?.(service),
    services: async (signal) => [...new Set([...sources.keys(), ...((await otherwise?.services?.(signal)) ?? [])])],
    async *watch(service, signal, pace) {
      const source = sourceOf(service);
      if (source === undefined) {
        if (!signal.aborted) yield noEndpoints;
        return;
      }
      for await (const yielded of source.watch(service, signal, pace)) {
        const answer = checkedAnswer(yielded, source, service);
        yield source.emptyPolicy === "trust" ? { ...answer, certain: true } : answer;
      }
    },
    close: () => closeAll(all),
  };
}

/** One answer for every service without a source, so that the same array confirms it. */
const noEndpoints = { endpoints: Object.freeze([]), certain: true };
