import { describeError } from "../../core/errors.ts";
import type { Discovery } from "../discovery.ts";
import type { WatchSink } from "./watching.ts";

/** Hands a hint to the adapter, which is the user's code. */
export function tellRefresh({
  discovery,
  service,
  sink,
}: {
  discovery: Discovery;
  service: string;
  sink: Pick<WatchSink, "hintFailed">;
}): void {
  try {
    discovery.refresh?.(service);
  } catch (error) {
    sink.hintFailed(new Error(`refresh("${service}") threw: ${describeError(error)}`, { cause: error }));
  }
}
