import type { RouteSource } from "../../../routing/route-source.ts";
import { parseRoutes } from "../../../routing/text/parse-routes.ts";
import type { ConsulSettings } from "../options.ts";
import { checkKey, KeyWatch } from "./key-watch.ts";

/**
 * Routes as the value of a key in Consul's store, in JSON or YAML, kept up to date by a blocking query. A value that is wrong, a key that is not there or is there
 * no more, and an agent that fails change nothing: the last good routes stay.
 * @throws TypeError for a text that is no key of a value: none, one with an empty or a dot segment, one of a folder.
 */
export function routeKey(settings: ConsulSettings, key: string): RouteSource {
  checkKey("routes", key);
  const name = `the key ${key} of ${settings.name}`;
  return {
    name,
    watch(onRoutes, onError) {
      const watch = new KeyWatch(settings, key, {
        update(text) {
          try {
            onRoutes(parseRoutes(text, name));
          } catch (error) {
            onError(error as Error);
          }
        },
        fail: ({ message, cause }) => onError(new Error(`${name}: ${message}`, { cause })),
      });
      return () => watch.close();
    },
  };
}
