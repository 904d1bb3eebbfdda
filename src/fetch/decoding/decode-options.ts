import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { atOnce, group, number, protecting } from "../../core/settings/rules.ts";

/**
 * The limit of compressed response bodies: without it, a malicious body of 250 KiB decodes to 256 MiB. `decode` in the options of the mesh.
 */
export interface DecodeOptions {
  /** Decoded bytes for each byte on the wire, checked from the second decoded MiB on. @default 100 */
  readonly maxRatio?: number;
}

/** The rules of {@link DecodeOptions}. */
export const decodeOptions = optionTable<DecodeOptions>()({
  maxRatio: number({ default: 100, min: 1 }),
});

/** {@link DecodeOptions} with the defaults filled in, and the most bytes that are collected; `false` = no limit. */
export type DecodeLimits = Settled<typeof decodeOptions.rules> & { readonly maxBytes: number | false };

/** The option of the edge, which services may have of their own. */
export interface DecodeOption {
  /** The limit of compressed response bodies when they are decoded. */
  readonly decode?: DecodeOptions;
}

/** The rule of {@link DecodeOption}. */
export const decodeOption = optionTable<DecodeOption>()({ decode: atOnce(protecting(group(decodeOptions))) });
