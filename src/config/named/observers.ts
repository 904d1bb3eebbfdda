import { openTelemetry } from "../../telemetry/open-telemetry.ts";
import { nameOf, type ReadNamed } from "../option-reader.ts";
import { type Build, namedBy, rawOptions } from "./named-value.ts";

const observers: Readonly<Record<string, Build>> = {
  openTelemetry: async (reader, path, given) => openTelemetry(await rawOptions(reader, path, given)),
  async prometheus(reader, path, given) {
    const { prometheus } = await import("../../telemetry/prometheus.ts");
    return prometheus(await rawOptions(reader, path, given));
  },
};

const readObserver = namedBy("observer", observers, ({ names }) => names.observers);

/** Reads a list of observers. */
export const readObservers: ReadNamed = async (reader, path, given) => {
  if (!Array.isArray(given)) return reader.refuse(path, `${nameOf(path)} must be a list of observers`);
  const read: unknown[] = [];
  for (const [index, observer] of given.entries()) read.push(await readObserver(reader, [...path, index], observer));
  return read;
};

/** The names of the observers that inmesh has. */
export const observerNames: readonly string[] = Object.keys(observers);
