import { cookieKey, headerKey } from "../../balancer/hashing/hash-key.ts";
import { type Build, namedBy } from "./named-value.ts";

const hashKeys: Readonly<Record<string, Build>> = {
  header: async (reader, path, given) => headerKey((await reader.raw(path, given)) as string),
  cookie: async (reader, path, given) => cookieKey((await reader.raw(path, given)) as string),
};

/** Reads the key of requests, by a header or a cookie. */
export const readHashKey: ReturnType<typeof namedBy> = namedBy("hash key", hashKeys, () => undefined);

/** The names of the hash keys that inmesh has. */
export const hashKeyNames: readonly string[] = Object.keys(hashKeys);
