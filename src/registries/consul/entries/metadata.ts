import { field } from "./json.ts";

/** Characters of metadata kept of one instance; fields that exceed it are left out. Tenants write them, and tags have no limit. */
const maxMetadataLength = 16_384;

/**
 * The metadata of a service as strings, with `tags` (joined by commas) and `node` where the metadata does not use those names itself. The
 * object has no prototype, so that `__proto__` is a key like any other.
 */
export function metadataOf(meta: unknown, tags: readonly string[], node: string): Readonly<Record<string, string>> {
  const metadata: Record<string, string> = Object.create(null) as Record<string, string>;
  let length = 0;
  const add = (key: string, value: unknown): void => {
    if (typeof value !== "string" || Object.hasOwn(metadata, key)) return;
    if (length + key.length + value.length > maxMetadataLength) return;
    length += key.length + value.length;
    metadata[key] = value;
  };
  if (typeof meta === "object" && meta !== null) for (const key of Object.keys(meta)) add(key, field(meta, key));
  if (tags.length > 0) add("tags", tags.join(","));
  add("node", node);
  return metadata;
}
