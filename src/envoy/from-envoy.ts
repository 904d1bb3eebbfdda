import type { ConfigNames } from "../config/config-names.ts";
import { fromData } from "../config/read-config.ts";
import { fenced } from "../core/observing/fence.ts";
import type { Discovery } from "../discovery/discovery.ts";
import { DocumentError } from "../documents/document-error.ts";
import type { MeshOptions } from "../mesh/mesh-options.ts";
import { textOf } from "./files.ts";
import { type ImportOptions, importEnvoyText } from "./import-envoy.ts";
import { EnvoyError } from "./text/envoy-error.ts";
import type { EnvoyNotice } from "./text/notice.ts";

/** How a file of Envoy becomes the options of a mesh. */
export interface FromEnvoyOptions extends Omit<ImportOptions, "discovery"> {
  /** The source of endpoints of clusters that have none: one that exists, or as a configuration names it. @default "dns" */
  readonly discovery?: Discovery | string | Readonly<Record<string, unknown>>;
  /** Takes each notice: what is otherwise than in Envoy, and what was read as another form. */
  readonly onNotice?: (notice: EnvoyNotice) => void;
  /** Pickers and other values of the program, as for `fromFile`. */
  readonly names?: ConfigNames;
}

/**
 * The options of a mesh from a file of Envoy: `createMesh({ ...(await fromEnvoy("envoy.yaml")), … })`. Nothing is connected.
 * Rejects with an {@link EnvoyError} that says file, line, column and field; for an option that the mesh would not take, which one.
 */
export async function fromEnvoy(path: string, options: FromEnvoyOptions = {}): Promise<MeshOptions> {
  return await fromEnvoyText(await textOf(path), path, options);
}

/** The same for a text. `source` names it in errors; it is the path that others in it are relative to. */
export async function fromEnvoyText(text: string, source: string, given: FromEnvoyOptions = {}): Promise<MeshOptions> {
  const { discovery, onNotice, names = {}, ...options } = given;
  const isSource = typeof (discovery as Partial<Discovery> | undefined)?.watch === "function";
  const { data, notices } = await importEnvoyText(text, source, { ...options, discovery: isSource ? `\${code:${sourceName}}` : discovery });
  if (onNotice !== undefined) for (const notice of notices) fenced("onNotice of fromEnvoy", () => onNotice(notice));
  const values = isSource ? { ...names.values, [sourceName]: discovery } : names.values;
  return await fromData(data, source, values === undefined ? names : { ...names, values }).catch((error: unknown) => {
    if (!(error instanceof DocumentError)) throw error;
    // It stands nowhere in the file.
    throw new EnvoyError(source, `a mesh does not take what it comes to: ${error.message.slice(`${source}: `.length)}`);
  });
}

/** The name by which the configuration has the source that the program gives. */
const sourceName = "discovery";
