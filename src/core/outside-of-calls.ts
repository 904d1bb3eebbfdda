import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Runs `start` outside of any call. What goes on after the call that happened to come first (watches, health checks) must not keep the async
 * context of that call: its requests would be traced as part of it, and whatever the caller keeps there would stay for as long.
 */
export const outsideOfCalls: <T>(start: () => T) => T = AsyncLocalStorage.snapshot();
