/** A path, given in the belief that the file is read. A text that holds no PEM and is no path is left to the code that reads it. */
const path = /^(\.{0,2}[\\/]|~|[A-Za-z]:\\|file:)|\.(pem|crt|cer|key|der)$/i;

/** Refuses the path of a file where its text is wanted, with a TypeError that does not quote it. */
export function refusePath(option: string, value: unknown): void {
  if (Array.isArray(value)) for (const each of value) refusePath(option, each);
  if (typeof value !== "string" || value.includes("-----BEGIN ") || !path.test(value.trim())) return;
  throw new TypeError(`${option} must be the text of a PEM file, not its path: give readFileSync(path)`);
}
