/** Single files of undici 7, which have no types of their own, with the types of the package. */
declare module "undici/lib/api/index.js" {
  import type { Dispatcher } from "undici";

  /** The methods that undici's index puts on every dispatcher. */
  const methods: Pick<Dispatcher, "request" | "stream" | "pipeline" | "upgrade" | "connect">;
  export default methods;
}

declare module "undici/lib/core/request.js" {
  // Its type is in undici.ts: the declarations of the package may not name a file that has none.
  const request: unknown;
  export default request;
}

declare module "undici/lib/core/errors.js" {
  import { errors } from "undici";
  export default errors;
}

declare module "undici/lib/dispatcher/agent.js" {
  import { Agent } from "undici";
  export default Agent;
}

declare module "undici/lib/dispatcher/dispatcher.js" {
  import { Dispatcher } from "undici";
  export default Dispatcher;
}

declare module "undici/lib/dispatcher/pool.js" {
  import { Pool } from "undici";
  export default Pool;
}
