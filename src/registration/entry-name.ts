const maxLength = 256;
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u;

/** Characteristics of a {@link isEntryName name}, for messages: an id "must be" this. */
export const entryNameRule = `1 to ${maxLength} printable characters (no controls, line separators or invisible ones), and neither "." nor ".."`;

/**
 * Whether `name` can be that of an entry in a registry, or its id. It is a part of a path whenever the entry is renewed, read or removed,
 * where it was a part of a body when the entry was made: servers refuse unprintable characters in a path, and resolve `.` and `..`, encoded
 * too. An entry with another name would be there until an operator removes it.
 */
export function isEntryName(name: unknown): name is string {
  return typeof name === "string" && name.length <= maxLength && name !== "." && name !== ".." && printable.test(name);
}
