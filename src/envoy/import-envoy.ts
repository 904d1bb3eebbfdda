import { quoted } from "../core/text/clean-text.ts";
import { type ClusterContext, type ReadCluster, readCluster } from "./clusters/cluster.ts";
import { discoveryOf, tlsOptionsOf } from "./clusters/whole.ts";
import { resourcesOf, textOf } from "./files.ts";
import { addressOf, type EnvoyAddress, filtersOf, managerOf, tableOf } from "./listeners.ts";
import { readBootstrap } from "./read-text.ts";
import { rulesOf } from "./routes/table.ts";
import { given, type Options } from "./text/data.ts";
import type { EnvoyNotice } from "./text/notice.ts";
import type { Part } from "./text/part.ts";
import { tellUnread } from "./text/unread.ts";

/** How a file of Envoy is read. */
export interface ImportOptions {
  /** The listener whose routes count, by its name. @default the only one that serves HTTP */
  readonly listener?: string;
  /** The source of endpoints of clusters that have none, as a configuration names it: `"consul"`, `{ dns: { … } }`. @default "dns" */
  readonly discovery?: unknown;
}

/** A file of Envoy as the configuration of a mesh. */
export interface EnvoyImport {
  /** The configuration of inmesh: the data that a file for `fromFile` of `inmesh/config` has. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Remarks on all that is otherwise here than in Envoy, or was read as another form, in the order of the file. */
  readonly notices: readonly EnvoyNotice[];
  /** The file in the form of Envoy's third API, which its current versions take. */
  readonly v3: Readonly<Record<string, unknown>>;
  /** The file and those of resources that it leads to. */
  readonly files: readonly string[];
  /** The address of the listener whose routes count, for a gateway; `undefined` where it is none of a port, or there is no listener. */
  readonly listen: EnvoyAddress | undefined;
}

/**
 * Reads a file of Envoy, in YAML or JSON: a bootstrap with its clusters and listeners, and the files of resources that it leads to. Nothing is connected.
 * Rejects with an {@link EnvoyError} that says file, line, column and field of what is wrong, or has nothing like it in inmesh.
 */
export async function importEnvoy(path: string, options: ImportOptions = {}): Promise<EnvoyImport> {
  return await importEnvoyText(await textOf(path), path, options);
}

/** The same for a text. `source` names it in errors; it is the path that others in it are relative to. */
export async function importEnvoyText(text: string, source: string, options: ImportOptions = {}): Promise<EnvoyImport> {
  const notices: EnvoyNotice[] = [];
  const root = readBootstrap(text, source, notices);
  // Before anything is read of it, and changed.
  const v3 = root.plain() as Readonly<Record<string, unknown>>;
  const resources = await resourcesOf(root, source, notices);
  const context: ClusterContext = {
    resources,
    secrets: { resources, own: root.list("static_resources", "secrets") },
    resolver: root.at("typed_dns_resolver_config"),
    isZoneAware: root.text("cluster_manager", "local_cluster_name") !== undefined,
  };
  const dynamic = resources.of(root.at("dynamic_resources", "cds_config"), "envoy.config.cluster.v3.Cluster");
  const clusters = clustersOf([...root.list("static_resources", "clusters"), ...dynamic], context);
  const listeners = [
    ...root.list("static_resources", "listeners"),
    ...resources.of(root.at("dynamic_resources", "lds_config"), "envoy.config.listener.v3.Listener"),
  ];
  if (clusters.size === 0 && listeners.length === 0) root.refuse("the file has no clusters and no listeners");
  const manager = managerOf(listeners, options.listener, root);
  const routes = manager === undefined ? undefined : rulesOf(tableOf(manager, resources), filtersOf(manager), clusters);
  const data = dataOf(root, clusters, routes, options);
  for (const each of [root, ...resources.all()]) tellUnread(each);
  notices.sort((one, other) => one.file.localeCompare(other.file) || one.line - other.line || one.column - other.column);
  const files = new Set([source, ...resources.all().map(({ origin }) => origin.source)]);
  return { data, notices: distinct(notices), v3, files: [...files], listen: addressOf(listeners, manager) };
}

function clustersOf(parts: readonly Part[], context: ClusterContext): ReadonlyMap<string, ReadCluster> {
  const clusters = new Map<string, ReadCluster>();
  for (const part of parts) {
    const cluster = readCluster(part, context);
    const name = part.text("name") ?? "";
    if (clusters.has(name)) part.refuse(`two clusters have the name ${quoted(name)}`);
    const other = [...clusters.values()].find((each) => each.name === cluster.name);
    if (other !== undefined)
      part.refuse(`the clusters ${quoted(name)} and ${quoted(other.part.text("name"))} would be one service, ${quoted(cluster.name)}`);
    clusters.set(name, cluster);
  }
  return clusters;
}

function dataOf(
  root: Part,
  clusters: ReadonlyMap<string, ReadCluster>,
  routes: readonly Options[] | undefined,
  { discovery = "dns" }: ImportOptions,
): Options {
  const all = [...clusters.values()];
  const zone = root.text("cluster_manager", "local_cluster_name") === undefined ? undefined : root.text("node", "locality", "zone");
  return given({
    discovery: discoveryOf(all, discovery),
    ...tlsOptionsOf(all),
    zone: zone || undefined,
    services: Object.fromEntries(all.map(({ name, options }) => [name, options])),
    routes,
  });
}

/** One part may be read for several routes. */
function distinct(notices: readonly EnvoyNotice[]): readonly EnvoyNotice[] {
  const seen = new Set<string>();
  return notices.filter((notice) => {
    const key = JSON.stringify(notice);
    return !seen.has(key) && seen.add(key);
  });
}
