/**
 * `inmesh/fastify`: a plug-in by which a Fastify application is served: it registers when it is ready, and its `close()` loses no request.
 *
 * @packageDocumentation
 */
import type { Application } from "./node-server.ts";
import { type ServeOptions, settleServe } from "./serve-options.ts";
import { ServedServer, type Serving } from "./serving.ts";

export type { TokenPlace, TokenVerifier } from "../authentication/token-verifier.ts";
export type { ServingState } from "../core/observing/serving-state.ts";
export type { ReadinessAnswer } from "./readiness.ts";
export type { ServeOptions } from "./serve-options.ts";
export type { Serving } from "./serving.ts";
export type { StopReport } from "./stop.ts";

const servings = new WeakMap<object, Serving>();

/**
 * The plug-in: `app.register(inmeshPlugin, { mesh, register: { service: "orders" } })`. It does what `serve` of `inmesh/server` does, and makes
 * `app.close()` stop the server that way, since Fastify's own close answers 503 from its first moment on. Its `onClose` hooks run last.
 * @throws TypeError or RangeError naming the option, for a wrong one; the application is not ready then.
 */
export const inmeshPlugin: ((app: Application, options: ServeOptions, done: (error?: Error) => void) => void) & {
  readonly [key: symbol]: unknown;
} = Object.assign(
  (app: Application, options: ServeOptions, done: (error?: Error) => void): void => {
    try {
      plugIn(rootOf(app), options);
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  },
  {
    // It belongs to the whole application, in which the server is one.
    [Symbol.for("skip-override")]: true,
    [Symbol.for("fastify.display-name")]: "inmesh",
    [Symbol.for("plugin-meta")]: { name: "inmesh", fastify: "5.x" },
  },
);

/**
 * The state of an application that has {@link inmeshPlugin}, for `track`, `leaving` and `registration`.
 * @throws TypeError for another application, and before the plug-in was loaded.
 */
export function servingOf(app: Application): Serving {
  const serving = servings.get(rootOf(app));
  if (serving === undefined)
    throw new TypeError("servingOf: the application has not loaded the plug-in; await app.register(inmeshPlugin, …) first");
  return serving;
}

function plugIn(app: Application, options: ServeOptions): void {
  if (servings.has(app)) throw new TypeError("the plug-in of inmesh is registered twice");
  const close = app.close.bind(app);
  let closed: PromiseLike<unknown> | undefined;
  const own: Application = {
    server: app.server,
    close: () => (closed = close()),
  };
  const serving = new ServedServer(own, settleServe(options));
  servings.set(app, serving);
  app.close = async (...args: unknown[]): Promise<void> => {
    const [callback] = args;
    await serving.stop("as the application closes");
    // What a hook of the application failed with is the result of its close, as ever.
    const result = Promise.resolve(closed).then(() => undefined);
    if (typeof callback === "function") result.then(() => callback(), callback as (error: unknown) => void);
    else await result;
  };
}

/** The application that the whole server belongs to: plug-ins get one that inherits from it. */
function rootOf(app: Application): Application {
  let root: Application = app;
  while (!Object.hasOwn(root, "close")) root = Object.getPrototypeOf(root) as Application;
  return root;
}
