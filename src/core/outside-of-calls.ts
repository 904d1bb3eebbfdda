import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Runs `start` outside of the asynchronous context of any call. Watches and health checks outlive the call that starts them: in its context,
 * their requests would be traced as part of it, and the values that its caller keeps there would not be freed.
 */
export const outsideOfCalls: <T>(start: () => T) => T = AsyncLocalStorage.snapshot();
