import { percentDecoded } from "../../core/http/percent-encoding.ts";

/** The address of a service's view. */
export function serviceLink(service: string): string {
  return `#/services/${encodeURIComponent(service)}`;
}

/** The service named by the hash of the address; `undefined` for the overview. */
export function routedService(hash: string): string | undefined {
  const encoded = /^#\/services\/(.+)$/.exec(hash)?.[1];
  return encoded && percentDecoded(encoded);
}
