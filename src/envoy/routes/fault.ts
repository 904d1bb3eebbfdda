import { given, type Options } from "../text/data.ts";
import type { Part } from "../text/part.ts";
import { percentOf } from "./match.ts";

/** A fault of the filter: for every call, since the file says so, or for those with a header. */
export function faultOf(config: Part): Options | undefined {
  const upstream = config.at("upstream_cluster");
  if (upstream !== undefined && upstream.value !== "")
    upstream.refuse("HTTPFault.upstream_cluster: give the fault to the routes of the cluster");
  const headers = config.list("headers");
  const [first] = headers;
  const isPresence =
    first === undefined ||
    (first.at("string_match") === undefined &&
      first.at("range_match") === undefined &&
      first.flag("invert_match") !== true &&
      first.flag("present_match") !== false);
  if (headers.length > 1 || !isPresence) first?.refuse("HTTPFault.headers: a call is marked by one header that is there");
  const header = first?.text("name")?.toLowerCase() ?? "*";
  const delay = config.at("delay");
  const abort = config.at("abort");
  if (delay === undefined && abort === undefined) return undefined;
  const percent = (part: Part): number | undefined => percentOf(part.at("percentage") ?? part.madeOf({ numerator: 0 }));
  return given({
    header,
    delay:
      delay === undefined
        ? undefined
        : given({ ms: delay.ms("fixed_delay") ?? delay.refuse("FaultDelay.fixed_delay is missing"), percent: percent(delay) }),
    abort:
      abort === undefined
        ? undefined
        : given({ status: abort.number("http_status") ?? abort.refuse("FaultAbort.http_status is missing"), percent: percent(abort) }),
  });
}
