import type { ConfigurationReading } from "../../core/observing/reading.ts";
import { shownText } from "../shown-text.ts";

/** A configuration that was refused. */
export interface RefusedConfiguration {
  /** Where it came from: `mesh.reconfigure`, the path of a file, or the name of a source of routes. */
  readonly source: string;
  /** The reason. */
  readonly error: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** The configuration in force. */
export interface ConfigurationRow {
  /** Where it came from: `createMesh`, `mesh.reconfigure`, the path of a file, or the name of a source of routes. */
  readonly source: string;
  /** Since when it is in force, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Options that its source has otherwise, and that only a new mesh takes. */
  readonly restart: readonly string[];
  /** A newer one that was refused; `null` where the newest is in force. */
  readonly refusal: RefusedConfiguration | null;
}

/** The configuration as plain data; `null` for a mesh that does not tell it. */
export function configurationRow(reading: ConfigurationReading | undefined): ConfigurationRow | null {
  if (reading === undefined) return null;
  const { source, sinceMs, restart, refusal } = reading;
  return {
    source: shownText(source),
    sinceMs,
    restart,
    refusal: refusal === undefined ? null : { ...refusal, source: shownText(refusal.source), error: shownText(refusal.error) },
  };
}
