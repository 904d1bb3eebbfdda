import type { PolicySource } from "../../../../authorization/sources/policy-source.ts";
import { checkText } from "../../../../core/settings/checks.ts";
import type { ConsulSettings } from "../../options.ts";
import { CompiledIntentions } from "./compiled-intentions.ts";
import { IntentionFeed } from "./intention-feed.ts";

/** The intentions of Consul about callers of one service, as a policy that is kept up to date. */
export function connectIntentions(settings: ConsulSettings, service: string): PolicySource {
  checkText("consul: intentions", service);
  return {
    name: `the intentions of ${service}`,
    watch(listener) {
      const closing = new AbortController();
      const feed = new IntentionFeed(settings, service);
      // In a turn of its own: nothing is told before `watch` has returned.
      queueMicrotask(() =>
        feed.follow(
          (set) => listener.update(new CompiledIntentions(set)),
          (error) => listener.fail(error),
          closing.signal,
        ),
      );
      return { close: () => closing.abort() };
    },
  };
}
