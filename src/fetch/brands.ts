import { types } from "node:util";

// Values are recognised by brand and by what they can do, not by their class: a test environment, another realm and a second copy of a package
// have classes of their own with the same meaning.

/** The tag of a value, such as `Blob`; that of a primitive value is the name of its class. */
export function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

/** Whether `value` is a `URL` of any class. */
export function isUrl(value: unknown): value is URL {
  return value instanceof URL || (tagOf(value) === "URL" && typeof (value as URL).href === "string");
}

/** Whether `value` is a `Blob` or a `File` of any class. */
export function isBlob(value: unknown): value is Blob {
  if (value instanceof Blob) return true;
  const tag = tagOf(value);
  return (tag === "Blob" || tag === "File") && typeof (value as Blob).stream === "function" && typeof (value as Blob).size === "number";
}

/** Whether `value` is a `FormData` of any class whose entries can be listed. */
export function isFormData(value: unknown): value is FormData {
  return tagOf(value) === "FormData" && typeof (value as FormData)[Symbol.iterator] === "function";
}

/** A `ReadableStream` of any class. */
export function isWebStream(value: object): value is ReadableStream {
  return typeof (value as ReadableStream).getReader === "function" && typeof (value as ReadableStream).cancel === "function";
}

/** A readable stream as Node has them, of any age and copy. */
export function isNodeStream(value: object): value is NodeJS.ReadableStream & { readonly destroyed?: boolean; destroy?(): void } {
  return typeof (value as NodeJS.ReadableStream).pipe === "function" && typeof (value as NodeJS.ReadableStream).on === "function";
}

/** The bytes of an `ArrayBuffer` or a view of any realm, copied; `undefined` for any other value. Throws a TypeError for one that was transferred. */
export function copiedBytes(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (!ArrayBuffer.isView(value) && !types.isArrayBuffer(value)) return undefined;
  // Only where there are none: to look at the buffer of a small view makes one.
  if (value.byteLength === 0 && isDetached(ArrayBuffer.isView(value) ? value.buffer : value))
    throw new TypeError("body: its bytes have been transferred to somewhere else");
  if (types.isUint8Array(value)) return Uint8Array.from(value);
  if (ArrayBuffer.isView(value)) return Uint8Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  return Uint8Array.from(new Uint8Array(value as ArrayBuffer));
}

function isDetached(buffer: ArrayBufferLike): boolean {
  return types.isArrayBuffer(buffer) && (buffer as ArrayBuffer).detached;
}
