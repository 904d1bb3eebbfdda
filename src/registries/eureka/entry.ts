import type { Endpoint } from "../../core/endpoint.ts";
import type { LeftOut } from "../../core/left-out.ts";
import { isInstanceHost } from "../../core/peers/address-policy.ts";

/** Options of a lookup: the kind of name, and which of an instance's addresses to use. */
export interface EntryOptions {
  readonly by: "app" | "vip";
  readonly preferSecure: boolean;
  readonly preferHostName: boolean;
}

type JsonRecord = Readonly<Record<string, unknown>>;

/** An instance as the registry lists it, not checked yet. */
export interface Entry {
  /** In upper case. */
  readonly app: string;
  readonly instance: JsonRecord;
}

/** The name of the metadata by which a process knows its own registration. Callers do not see it. */
export const registrationMark = "inmesh-registration";

/** Characters of metadata kept of one instance, and of one name or value that is used by itself. */
const maxMetadata = 16_384;
const maxText = 512;
/** Fields of metadata of one instance that are looked at: sorting many takes long. */
const maxFields = 4_096;

/** Whether `value` is a JSON object. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The virtual host names of an instance, the secure ones too. */
export function vipsOf({ instance }: Entry): readonly string[] {
  return [instance["vipAddress"], instance["secureVipAddress"]].flatMap((list) =>
    typeof list === "string" && list.length <= maxMetadata
      ? list
          .split(",")
          .map((name) => name.trim())
          .filter((name) => isText(name))
      : [],
  );
}

/** The endpoint of an entry; `undefined` when the instance is not UP, or has no usable address. */
export function endpointOf(entry: Entry, options: EntryOptions): Endpoint | undefined {
  const { app, instance } = entry;
  if (instance["status"] !== "UP") return undefined;
  const addresses = [instance["ipAddr"], instance["hostName"]].map(hostOf);
  const host = options.preferHostName ? (addresses[1] ?? addresses[0]) : (addresses[0] ?? addresses[1]);
  const plain = portOf(instance["port"], true);
  const tls = portOf(instance["securePort"], false);
  const secure = tls !== undefined && (options.preferSecure || plain === undefined);
  const port = secure ? tls : plain;
  if (host === undefined || port === undefined) return undefined;
  const given = instance["instanceId"];
  const metadata = metadataOf(instance["metadata"]);
  const weight = weightOf(metadata.get("weight"));
  const zone = zoneOf(metadata, instance["dataCenterInfo"]);
  return {
    // Servers before 1.2 have no instance ids.
    id: isText(given) ? given : `${host}:${app}:${port}`,
    host,
    port,
    ...(secure ? { secure } : {}),
    ...(weight === undefined ? {} : { weight }),
    ...(zone === undefined ? {} : { zone }),
    ...(metadata.size === 0 ? {} : { metadata: recordOf(metadata) }),
  };
}

/** The statuses that an instance, or an operator, gives it while it takes no calls. */
const withdrawals: readonly unknown[] = ["OUT_OF_SERVICE", "DOWN", "STARTING"];

/** The reason for which an entry has no endpoint. */
export function leftOutOf({ instance }: Entry): LeftOut {
  const { status, instanceId } = instance;
  const id = isText(instanceId) ? { id: instanceId } : {};
  if (withdrawals.includes(status)) return { ...id, reason: `status ${status}`, withdrawn: true };
  if (status !== "UP") return { ...id, reason: "a status that is not UP" };
  return { ...id, reason: "no address, or no port from 1 to 65535 that is enabled" };
}

function isText(value: unknown): value is string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused, for the sake of logs and headers.
  return typeof value === "string" && value !== "" && value.length <= maxText && !/[\x00-\x1f\x7f]/.test(value);
}

function hostOf(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const host = value.startsWith("[") && value.endsWith("]") ? value.slice(1, -1) : value;
  return isInstanceHost(host) ? host : undefined;
}

/** Reads `{ "$": 8080, "@enabled": "true" }`, whose parts are text, numbers or booleans depending on the codec, or a bare number. */
function portOf(value: unknown, isEnabledByDefault: boolean): number | undefined {
  const number = isRecord(value) ? value["$"] : value;
  const enabled = isRecord(value) ? (value["@enabled"] ?? isEnabledByDefault) : isEnabledByDefault;
  if (!(enabled === true || enabled === 1 || String(enabled).toLowerCase() === "true" || enabled === "1")) return undefined;
  if (typeof number !== "number" && !(typeof number === "string" && /^\d{1,5}$/.test(number))) return undefined;
  const port = Number(number);
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}

function metadataOf(value: unknown): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  if (!isRecord(value)) return metadata;
  let left = maxMetadata;
  // Sorted, so that the same fields are left out of too many whichever server answers.
  for (const name of fewOf(Object.keys(value)).sort()) {
    const content = value[name];
    // "@class" is the Java type of an empty map.
    if (name === "@class" || name === registrationMark || !["string", "number", "boolean"].includes(typeof content)) continue;
    const text = String(content);
    const length = name.length + text.length;
    if (length > left) continue;
    left -= length;
    metadata.set(name, text);
  }
  return metadata;
}

/** The names, or of too many the shortest: as many of the same lengths as are few enough, in whatever order they come. */
function fewOf(names: string[]): string[] {
  if (names.length <= maxFields) return names;
  const ofLength = new Uint32Array(maxText + 1);
  for (const { length } of names) if (length <= maxText) ofLength[length] = (ofLength[length] as number) + 1;
  let longest = -1;
  let count = 0;
  while (longest < maxText && count + (ofLength[longest + 1] as number) <= maxFields) count += ofLength[++longest] as number;
  return names.filter(({ length }) => length <= longest);
}

function recordOf(metadata: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const record = Object.create(null) as Record<string, string>;
  for (const [name, text] of metadata) record[name] = text;
  return record;
}

function weightOf(text: string | undefined): number | undefined {
  const weight = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  return Number.isNaN(weight) ? undefined : Math.min(65_535, Math.max(1, weight));
}

function zoneOf(metadata: ReadonlyMap<string, string>, dataCenterInfo: unknown): string | undefined {
  const ofCloud =
    isRecord(dataCenterInfo) && isRecord(dataCenterInfo["metadata"]) ? dataCenterInfo["metadata"]["availability-zone"] : undefined;
  return [metadata.get("zone"), ofCloud].find(isText);
}
