import { optionTable, type Settled } from "../core/settings/option-table.ts";
import { group, number } from "../core/settings/rules.ts";

/**
 * Limits of compressed response bodies: without them, a malicious body of 250 KiB decodes to 256 MiB. `decode` in the options of the mesh.
 */
export interface DecodeOptions {
  /** Decoded bytes of a body that is read whole: by `text()`, `json()`, `bytes()` and the like. @default 67108864 */
  readonly maxBytes?: number;
  /** Decoded bytes for each byte on the wire, checked from the second decoded MiB on. @default 100 */
  readonly maxRatio?: number;
}

/** The rules of {@link DecodeOptions}. */
export const decodeOptions = optionTable<DecodeOptions>()({
  maxBytes: number({ default: 64 * 2 ** 20, min: 1, unit: "bytes" }),
  maxRatio: number({ default: 100, min: 1 }),
});

/** {@link DecodeOptions} with the defaults filled in. */
export type DecodeLimits = Settled<typeof decodeOptions.rules>;

/** The option of the edge, which services may have of their own. */
export interface DecodeOption {
  /** Limits of compressed response bodies when they are decoded. */
  readonly decode?: DecodeOptions;
}

/** The rule of {@link DecodeOption}. */
export const decodeOption = optionTable<DecodeOption>()({ decode: group(decodeOptions) });
