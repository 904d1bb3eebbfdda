import { dirname, resolve } from "node:path";
import { jwt } from "../../authentication/jwt.ts";
import { fromData, fromTextWith } from "../../config/config.ts";
import type { GatewayListenOptions, GatewayOptions, GatewayRule } from "../../gateway/gateway.ts";
import type { createMesh } from "../../index.ts";
import { importNginx } from "../../nginx/nginx.ts";
import { type ImportReader, importReaders } from "../import/readers.ts";

/** A file as a gateway: the options of its mesh, its own, and where it listens. */
export interface GatewayFile {
  readonly mesh: Parameters<typeof createMesh>[0];
  readonly gateway: GatewayOptions;
  readonly listen: GatewayListenOptions;
  /** A line for each part that means something else here, or nothing. */
  readonly notices: readonly string[];
  /** The file, those that it leads to, and directories in which its patterns may match others: a change of one may be a change of it. */
  readonly files: readonly string[];
  /** All that is said by these files: the same text for the same meaning. */
  readonly content: string;
}

/** Reads a file of inmesh, nginx or Envoy as a gateway. Rejects with an error that has the place of the fault. */
export async function readGatewayFile(file: string, text: string, from: string | undefined): Promise<GatewayFile> {
  const reader = importReaders.find((each) => (from === undefined ? each.recognises(file, text) : each.name === from));
  if (reader !== undefined) return await readOthers(file, reader);
  const { mesh, part, files } = await fromTextWith(text, file, {}, { name: "gateway", make: gatewayOf });
  return {
    mesh,
    gateway: part?.gateway ?? {},
    listen: part?.listen ?? {},
    notices: [],
    files: [file, ...files.keys()],
    content: JSON.stringify([text, [...files]]),
  };
}

async function readOthers(file: string, reader: ImportReader): Promise<GatewayFile> {
  const {
    data,
    notices,
    files,
    listen: address,
  } = await reader.read(file, {
    retries: undefined,
    listen: undefined,
    unsupported: undefined,
    discovery: undefined,
  });
  const mesh = await fromData(data, file);
  const { gateway, listen } = reader.name === "nginx" ? await listenerOfNginx(file) : { gateway: {}, listen: address ?? {} };
  const directories = reader.name === "nginx" ? new Set(files.map((each) => dirname(each))) : [];
  return { mesh, gateway, listen, notices, files: [...files, ...directories], content: JSON.stringify([data, gateway, listen]) };
}

/** The address, the certificates and the limit of bodies that a file of nginx has for the routes which the mesh gets from it. */
async function listenerOfNginx(file: string): Promise<Pick<GatewayFile, "gateway" | "listen">> {
  const { listeners } = await importNginx(file, { names: "keep", clients: "served" });
  const chosen = listeners.find(({ routes }) => routes.some(({ to, split }) => to !== undefined || split !== undefined)) ?? listeners[0];
  if (chosen === undefined) return { gateway: {}, listen: {} };
  const { host, port, isSecure, certificates, maxBodyBytes } = chosen;
  return {
    gateway: { maxBodyBytes: maxBodyBytes === 0 ? false : maxBodyBytes },
    listen: {
      host: host === "*" ? "0.0.0.0" : host,
      port,
      // nginx takes a key that others may read, and so does this for its file.
      ...(isSecure
        ? {
            certificates: certificates.map(({ cert, key }) => ({
              cert: resolve(file, "..", cert),
              key: resolve(file, "..", key),
              allowReadableKey: true,
            })),
          }
        : {}),
    },
  };
}

/** The part `gateway` of a file of inmesh: options of `gateway`, with `listen`, and with `jwt` in the rules, since a provider is code. */
function gatewayOf(given: unknown, pathOf: (path: string) => string): Pick<GatewayFile, "gateway" | "listen"> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw new TypeError("gateway must be an object with options");
  const { listen = {}, rules = {}, ...gateway } = given as { listen?: GatewayListenOptions; rules?: Record<string, unknown> };
  const { certificates, ...limits } = listen;
  const files = (certificates ?? []).map((each) => {
    const { cert, key } = (each ?? {}) as { cert?: unknown; key?: unknown };
    if (typeof cert !== "string" || typeof key !== "string")
      throw new TypeError("gateway.listen.certificates must have the files cert and key in each entry");
    return { ...each, cert: pathOf(cert), key: pathOf(key) };
  });
  const made = Object.fromEntries(Object.entries(rules).map(([name, rule]) => [name, ruleOf(name, rule)]));
  return {
    gateway: { ...gateway, ...(Object.keys(made).length === 0 ? {} : { rules: made }) } as GatewayOptions,
    listen: { ...limits, ...(files.length === 0 ? {} : { certificates: files }) } as GatewayListenOptions,
  };
}

function ruleOf(name: string, given: unknown): GatewayRule {
  if (typeof given !== "object" || given === null) throw new TypeError(`gateway.rules.${name} must be an object with options`);
  const { jwt: issuers, ...rule } = given as { jwt?: unknown };
  if (issuers === undefined) return rule as GatewayRule;
  const list = (Array.isArray(issuers) ? issuers : [issuers]) as readonly Parameters<typeof jwt>[0][];
  try {
    return { ...rule, tokens: list.map((each) => jwt(each)) };
  } catch (error) {
    throw new TypeError(`gateway.rules.${name}.${(error as Error).message}`, { cause: error });
  }
}
