import type { ConfigNames } from "../config/config-names.ts";
import { fromData } from "../config/read-config.ts";
import { fenced } from "../core/observing/fence.ts";
import type { MeshOptions } from "../mesh/mesh-options.ts";
import { type ImportNginxOptions, importNginx } from "./import-nginx.ts";
import type { Notice } from "./reading/report.ts";

/** How a file of nginx becomes the options of a mesh. */
export interface FromNginxOptions extends ImportNginxOptions {
  /** Told of each part of the file that means something else to inmesh than to nginx, or nothing. @default a warning of the process with all of them */
  readonly onNotice?: (notice: Notice) => void;
  /** Names and values of the program, as for `fromFile`. @default none */
  readonly config?: ConfigNames;
}

/**
 * Reads a file of nginx as the options of a mesh: `createMesh(await fromNginx("nginx.conf"))`. Upstreams become services, servers and locations become
 * routes. What is not supported is an error, and never left out.
 * Rejects with a `NginxError` that names file, line, column, directive and reason.
 */
export async function fromNginx(file: string, options: FromNginxOptions = {}): Promise<MeshOptions> {
  const { onNotice, config, ...how } = options;
  const { data, notices } = await importNginx(file, how);
  if (onNotice !== undefined) for (const notice of notices) fenced("onNotice of fromNginx", () => onNotice(notice));
  else if (notices.length > 0) process.emitWarning(noticesText(file, notices), "NginxNotice");
  return await fromData(data, file, config);
}

const maxShown = 20;

function noticesText(file: string, notices: readonly Notice[]): string {
  const lines = notices.slice(0, maxShown).map(({ where, directive, text }) => `  ${where}: ${directive}: ${text}`);
  const more = notices.length - lines.length;
  return `${file} is read, with these notices:\n${lines.join("\n")}${more > 0 ? `\n  and ${more} more (inmesh import shows all)` : ""}`;
}
