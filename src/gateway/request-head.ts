import { requestHeaders } from "../core/http/request-headers.ts";
import type { HeaderKinds } from "./header-kinds.ts";

/** The head of a request, as far as a gateway reads it. */
export class RequestHead {
  /** The headers that are passed on, by name in lower case. */
  readonly headers: Record<string, string> = requestHeaders(undefined);
  host: string | undefined = undefined;
  contentLength: string | undefined = undefined;
  isChunked = false;
  /** Whether the client takes trailers. */
  takesTrailers = false;
  via: string | undefined = undefined;
  forwardedFor: string | undefined = undefined;
  forwardedProto: string | undefined = undefined;
  forwardedHost: string | undefined = undefined;
  forwarded: string | undefined = undefined;
  requestId: string | undefined = undefined;
  /** The reason why the request is malformed; `undefined` where it is not. */
  fault: string | undefined = undefined;

  /**
   * Reads the headers of a request, names and values in turn. Of a peer that is not trusted, those that claim something about the client are left out.
   */
  constructor(raw: readonly string[], kinds: HeaderKinds, isTrusted: boolean) {
    let listed: string | undefined;
    for (let index = 0; index < raw.length; index += 2) {
      const { name, kind } = kinds.of(raw[index] as string);
      const value = raw[index + 1] as string;
      if (kind === "passed" || (kind === "claim" && isTrusted)) this.#pass(name, value);
      else if (kind === "connection") listed = listed === undefined ? value : `${listed},${value}`;
      else if (kind !== "dropped" && kind !== "claim") this.#read(kind, value, isTrusted);
    }
    if (listed !== undefined && listed !== "keep-alive" && listed !== "close") this.#leaveOut(listed);
  }

  #pass(name: string, value: string): void {
    const known = this.headers[name];
    this.headers[name] = known === undefined ? value : `${known}${name === "cookie" ? "; " : ", "}${value}`;
  }

  #read(kind: string, value: string, isTrusted: boolean): void {
    switch (kind) {
      case "host":
        if (this.host !== undefined) this.fault = "it has several hosts";
        this.host = value;
        break;
      case "content-length":
        if (this.contentLength !== undefined || !/^\d{1,15}$/.test(value)) this.fault = "its length is not one number";
        this.contentLength = value;
        break;
      case "transfer-encoding":
        if (this.isChunked || value.toLowerCase() !== "chunked") this.fault = "its transfer encoding is not chunked";
        this.isChunked = true;
        break;
      case "te":
        this.takesTrailers ||= /(?:^|,)\s*trailers\s*(?:,|$)/i.test(value);
        break;
      case "via":
        this.via = joined(this.via, value);
        break;
      case "x-forwarded-for":
        if (isTrusted) this.forwardedFor = joined(this.forwardedFor, value);
        break;
      case "x-forwarded-proto":
        if (isTrusted) this.forwardedProto ??= value;
        break;
      case "x-forwarded-host":
        if (isTrusted) this.forwardedHost ??= value;
        break;
      case "forwarded":
        if (isTrusted) this.forwarded = joined(this.forwarded, value);
        break;
      case "request id":
        if (isTrusted) this.requestId ??= value;
        break;
    }
  }

  /** Leaves out the headers that the connection header names: they are of this connection. */
  #leaveOut(listed: string): void {
    for (const token of listed.split(",")) {
      const name = token.trim().toLowerCase();
      if (name !== "" && name in this.headers) Reflect.deleteProperty(this.headers, name);
    }
  }
}

function joined(known: string | undefined, value: string): string {
  return known === undefined ? value : `${known}, ${value}`;
}
