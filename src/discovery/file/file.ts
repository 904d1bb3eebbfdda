import { extname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Clock, systemClock } from "../../core/clock.ts";
import type { Endpoint } from "../../core/endpoint.ts";
import { checkChoice, checkFunction, checkKeys, checkNumber, checkObject, maxTimerMs, refuseOption } from "../../core/settings/checks.ts";
import type { Discovery, EmptyPolicy } from "../discovery.ts";
import { keepIfSame } from "../same-endpoints.ts";
import { type FileFormat, ListFile } from "./list-file.ts";

/** Options of {@link fileDiscovery}. All are optional. */
export interface FileDiscoveryOptions {
  /** The format of the file; by default from the end of its name: `.json`, `.yaml` or `.yml`. */
  readonly format?: FileFormat;
  /** How often the file is checked besides the operating system's notices, in milliseconds. Default 2,000. */
  readonly pollMs?: number;
  /**
   * How a list that is suddenly empty is taken, see {@link Discovery.emptyPolicy}. By default `trust` for JSON, which does not parse when
   * its end is missing, and `quarantine` for YAML, of which the first half is valid too.
   */
  readonly emptyPolicy?: EmptyPolicy;
  /** Called when the operating system cannot announce changes; the file is polled then. */
  readonly onError?: (error: unknown) => void;
  /** Time, for tests. */
  readonly clock?: Clock;
}

const known: readonly (keyof FileDiscoveryOptions)[] = ["format", "pollMs", "emptyPolicy", "onError", "clock"];

/**
 * Endpoints that are listed in a JSON or YAML file, in the shape that `staticDiscovery` takes, read again whenever the file changes. A file
 * that is missing, empty, half-written or wrong makes the watch throw `ERR_MESH_DISCOVERY`, so the endpoints in use stay. A service that
 * the file does not name has no endpoints. Throws a `TypeError` or `RangeError` on wrong options; does not read the file yet.
 */
export function fileDiscovery(path: string | URL, options: FileDiscoveryOptions = {}): Discovery {
  const file = pathOf(path);
  checkObject("fileDiscovery: options", options);
  checkKeys("fileDiscovery", options, known);
  const { format = formatOf(file), pollMs = 2_000, clock = systemClock, onError } = options;
  checkChoice("fileDiscovery: format", format, ["json", "yaml"]);
  checkNumber("fileDiscovery: pollMs", pollMs, 10, maxTimerMs);
  checkChoice("fileDiscovery: emptyPolicy", options.emptyPolicy, ["quarantine", "trust"]);
  checkFunction("fileDiscovery: onError", onError);
  const { emptyPolicy = format === "json" ? "trust" : "quarantine" } = options;
  const list = new ListFile({ path: file, format, pollMs, clock, onError });
  return {
    name: `file ${file}`,
    emptyPolicy,
    allowSocketPaths: true,
    async *watch(service, signal) {
      const release = list.follow();
      try {
        let read = list.refresh() - 1;
        let last: readonly Endpoint[] | undefined;
        while (!signal.aborted) {
          if (list.reads > read) {
            read = list.reads;
            last = keepIfSame(last, list.services().get(service) ?? []);
            // Also when nothing changed: it confirms that the data is current. Not certain: `emptyPolicy` says how the file is taken.
            yield { endpoints: last, certain: false };
          } else {
            await list.changes.wait(signal);
          }
        }
      } finally {
        release();
      }
    },
    refresh: () => list.reread(),
    async services(signal) {
      const wanted = list.refresh();
      while (list.reads < wanted) {
        await list.changes.wait(signal);
        signal.throwIfAborted();
      }
      return [...list.services().keys()];
    },
  };
}

function pathOf(path: string | URL): string {
  if (path instanceof URL) return fileURLToPath(path);
  if (typeof path !== "string" || path === "") refuseOption("fileDiscovery: path", path, "the path of a file");
  // Resolved now: the working directory may change later.
  return resolve(path);
}

function formatOf(path: string): FileFormat {
  switch (extname(path).toLowerCase()) {
    case ".json":
      return "json";
    case ".yaml":
    case ".yml":
      return "yaml";
    default:
      return refuseOption("fileDiscovery: path", path, "one that ends in .json, .yaml or .yml where no format is given");
  }
}
