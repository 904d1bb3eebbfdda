import type { Dispatch } from "../../src/core/dispatch.ts";
import type { Upstream } from "../../src/core/upstream.ts";
import { Rotation, type RotationOptions } from "../../src/rotation/rotation.ts";
import { testRequest, testUpstream } from "../../src/testing/request.ts";
import { type Ending, endings } from "../support/endings.ts";
import { type OpenResponse, openResponse } from "../support/open-response.ts";
import { clock, disposedAtEnd } from "../support/virtual-time.ts";
import { throughRotation } from "./attempts.ts";
import { onState } from "./states.ts";

/** An attempt that no answer comes to. */
export const timeout: Ending = { code: "ERR_MESH_TIMEOUT" };
/** An attempt for which no connection can be made. */
export const refused: Ending = { code: "ERR_MESH_CONNECT" };

/** A service with so many instances. */
export function service(instances: number, options: Partial<RotationOptions> = {}) {
  const upstreams = Array.from({ length: instances }, (_, index) => testUpstream({ id: `i${index}`, port: index + 1 }));
  const states: string[] = [];
  const rotation = new Rotation({
    clock,
    random: () => 0.5,
    events: onState(({ upstream, state }) => states.push(`${upstream.id} ${state}`)),
    upstreams: () => upstreams,
    ...options,
  });
  disposedAtEnd(rotation);
  let ending: Ending = 200;
  const dispatch = throughRotation(rotation, endings(() => ending).dispatch);
  const calls = async (next: Ending, count: number, to: number | Upstream): Promise<void> => {
    for (let call = 0; call < count; call++) {
      ending = typeof next === "number" ? complete(next) : next;
      await dispatch(testRequest({ upstream: typeof to === "number" ? (upstreams[to] as Upstream) : to })).catch(() => {});
    }
  };
  return {
    rotation,
    upstreams,
    states,
    calls,
    /** So many calls to each instance that is in rotation, answered with its status. */
    async traffic(statuses: readonly number[], count = 100): Promise<void> {
      for (const [index, status] of statuses.entries()) if (upstreams[index]?.state === "available") await calls(status, count, index);
    },
    out: () => upstreams.filter((upstream) => upstream.state !== "available").map(({ id }) => id),
  };
}

/** One instance in rotation, judged by its own outcomes only. */
export function under(options: Partial<RotationOptions> = {}) {
  const states: string[] = [];
  const rotation = new Rotation({
    clock,
    random: () => 0.5,
    events: onState(({ upstream, state }) => states.push(`${upstream.id} ${state}`)),
    upstreams: () => [],
    ejection: false,
    ...options,
  });
  disposedAtEnd(rotation);
  let ending: Ending | Promise<Ending> = 200;
  const inner = endings(() => ending);
  const dispatch: Dispatch = throughRotation(rotation, inner.dispatch);
  const upstream = testUpstream({ id: "a" });
  return {
    rotation,
    states,
    upstream,
    async calls(next: Ending, count = 1, to: Upstream = upstream): Promise<void> {
      for (let call = 0; call < count; call++) {
        ending = typeof next === "number" ? complete(next) : next;
        await dispatch(testRequest({ upstream: to })).catch(() => {});
        await clock.advance(0);
      }
    },
    /** Begins an attempt and leaves it open; what it returns ends it. */
    begin(to: Upstream = upstream) {
      let end: (how: Ending) => void = () => {};
      ending = new Promise((resolve) => {
        end = resolve;
      });
      const request = testRequest({ upstream: to });
      const settled = dispatch(request).catch(() => {});
      return async (how: Ending) => {
        end(how);
        await settled;
        await clock.advance(0);
        return request;
      };
    },
  };
}

/** An answer whose body has come with its head. */
function complete(status: number): OpenResponse {
  const response = openResponse(status);
  response.body.close();
  return response;
}
