import { fileIdentity } from "../../identity/files/file-identity.ts";
import type { FileIdentityOptions } from "../../identity/files/file-options.ts";
import { isObject } from "../option-reader.ts";
import { type Build, namedBy, rawOptions } from "./named-value.ts";

/** Identities of this process by their names. Those of an agent are loaded where they are named. */
const identities: Readonly<Record<string, Build>> = {
  async files(reader, path, given) {
    const options = await rawOptions(reader, path, given);
    const pathOf = (value: unknown): unknown =>
      typeof value === "string" ? reader.references.pathOf(value) : Array.isArray(value) ? value.map(pathOf) : value;
    for (const name of ["cert", "key", "ca", "revocations"]) if (name in options) options[name] = pathOf(options[name]);
    const { bundles } = options;
    if (isObject(bundles)) options["bundles"] = Object.fromEntries(Object.entries(bundles).map(([name, files]) => [name, pathOf(files)]));
    return fileIdentity(options as unknown as FileIdentityOptions);
  },
  async workloadApi(reader, path, given) {
    const { workloadApi } = await import("../../identity/spiffe/spiffe.ts");
    return workloadApi(await rawOptions(reader, path, given));
  },
  async sds(reader, path, given) {
    const { sds } = await import("../../identity/spiffe/spiffe.ts");
    return sds((await rawOptions(reader, path, given)) as never);
  },
};

/** Reads the identity of this process. */
export const readIdentity: ReturnType<typeof namedBy> = namedBy("identity", identities, ({ names }) => names.identities);

/** The names of the identities that inmesh has. */
export const identityNames: readonly string[] = Object.keys(identities);
