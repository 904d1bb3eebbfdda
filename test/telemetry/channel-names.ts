import type { ChannelMessages } from "../../src/telemetry/channel-messages.ts";

/** Every channel that the mesh publishes on. */
export const channelNames = [
  "inmesh:call",
  "inmesh:attempt",
  "inmesh:retry",
  "inmesh:retry:denied",
  "inmesh:hedge",
  "inmesh:hedge:won",
  "inmesh:ejection",
  "inmesh:availability",
  "inmesh:breaker",
  "inmesh:discovery:update",
  "inmesh:discovery:error",
  "inmesh:trace",
] as const satisfies readonly (keyof ChannelMessages)[];
