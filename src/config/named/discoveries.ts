import { byService } from "../../discovery/combined/by-service.ts";
import { fallback } from "../../discovery/combined/fallback.ts";
import { type Location, located } from "../../discovery/combined/located.ts";
import { union } from "../../discovery/combined/union.ts";
import type { Discovery } from "../../discovery/discovery.ts";
import { dns } from "../../discovery/dns/dns.ts";
import { fileDiscovery } from "../../discovery/file/file.ts";
import type { ServiceList } from "../../discovery/file/service-list.ts";
import { staticDiscovery } from "../../discovery/file/static.ts";
import type { PartPath } from "../../documents/part-path.ts";
import { isObject, nameOf, type OptionReader } from "../option-reader.ts";
import { type Build, namedBy, rawOptions } from "./named-value.ts";

/** Sources of endpoints by their names. The registries are loaded where they are named. */
const discoveries: Readonly<Record<string, Build>> = {
  async consul(reader, path, given) {
    const { consul } = await import("../../registries/consul.ts");
    return consul(withTokenFile(reader, await rawOptions(reader, path, given)));
  },
  async eureka(reader, path, given) {
    const { eureka } = await import("../../registries/eureka.ts");
    return eureka(await rawOptions(reader, path, given));
  },
  dns: async (reader, path, given) => dns(await rawOptions(reader, path, given)),
  static: async (reader, path, given) => staticDiscovery((await rawOptions(reader, path, given)) as ServiceList),
  async file(reader, path, given) {
    const { path: file, ...options } =
      typeof given === "string" ? { path: (await reader.text(path, given)).value } : await rawOptions(reader, path, given);
    if (typeof file !== "string" || file === "") return reader.refuse(path, `${nameOf(path)} must be a path, or have one: { path: "…" }`);
    return fileDiscovery(reader.references.pathOf(file), options);
  },
  async fallback(reader, path, given) {
    const { primary, secondary, ...options } = partsOf(reader, path, given, ["primary", "secondary"]);
    const [first, second] = [await inner(reader, [...path, "primary"], primary), await inner(reader, [...path, "secondary"], secondary)];
    return fallback(first, second, await rawOptions(reader, path, options));
  },
  async union(reader, path, given) {
    const isList = Array.isArray(given);
    const { sources, ...options } = isList ? { sources: given } : partsOf(reader, path, given, ["sources"]);
    const at = isList ? path : [...path, "sources"];
    if (!Array.isArray(sources)) return reader.refuse(at, `${nameOf(at)} must be a list of sources of endpoints`);
    const read: Discovery[] = [];
    for (const [index, source] of sources.entries()) read.push(await inner(reader, [...at, index], source));
    return union(read, await rawOptions(reader, path, options));
  },
  async byService(reader, path, given) {
    const { services, otherwise } = partsOf(reader, path, given, ["services"]);
    const at = [...path, "services"];
    if (!isObject(services)) return reader.refuse(at, `${nameOf(at)} must be an object with the source of endpoints of each service`);
    const read: [string, Discovery][] = [];
    for (const [name, source] of Object.entries(services)) read.push([name, await inner(reader, [...at, name], source)]);
    const rest = otherwise === undefined ? {} : { otherwise: await inner(reader, [...path, "otherwise"], otherwise) };
    return byService({ services: Object.fromEntries(read), ...rest });
  },
  async located(reader, path, given) {
    const { source, ...location } = partsOf(reader, path, given, ["source"]);
    return located(await inner(reader, [...path, "source"], source), (await rawOptions(reader, path, location)) as Location);
  },
};

/** Reads a source of endpoints. */
export const readDiscovery: ReturnType<typeof namedBy> = namedBy("source of endpoints", discoveries, ({ names }) => names.discoveries);

/** The names of the sources of endpoints that inmesh has. */
export const discoveryNames: readonly string[] = Object.keys(discoveries);

async function inner(reader: OptionReader, path: PartPath, given: unknown): Promise<Discovery> {
  return (await readDiscovery(reader, path, given)) as Discovery;
}

function partsOf(reader: OptionReader, path: PartPath, given: unknown, required: readonly string[]): Record<string, unknown> {
  const missing = isObject(given) ? required.find((name) => given[name] === undefined || given[name] === null) : required[0];
  if (missing !== undefined) return reader.refuse(path, `${nameOf(path)} must have ${required.join(" and ")}: ${missing} is missing`);
  return { ...(given as object) };
}

/** The path of a file with a token is relative to the file of the configuration, like every path in it. */
function withTokenFile(reader: OptionReader, options: Record<string, unknown>): Record<string, unknown> {
  const { token } = options;
  if (!isObject(token) || typeof token["file"] !== "string") return options;
  return { ...options, token: { ...token, file: reader.references.pathOf(token["file"]) } };
}
