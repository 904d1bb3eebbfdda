import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { configurationFiles } from "../src/assets/asset-files.ts";
import { assetsSettings } from "../src/assets/assets-options.ts";
import { adapted, type dashboardNames } from "../src/assets/dashboards.ts";
import { spellings } from "../src/assets/spelling.ts";
import { discovery } from "./discovery.ts";
import { overview } from "./overview.ts";
import { resilience } from "./resilience.ts";
import { routes } from "./routes.ts";
import { security } from "./security.ts";
import { service } from "./service.ts";

const dashboards: Readonly<Record<(typeof dashboardNames)[number], () => Dashboard>> = {
  overview,
  service,
  discovery,
  resilience,
  security,
  routes,
};

/** The generated files of `observability/`, in both spellings, with the defaults of `inmesh assets`: text by path. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const spelling of spellings) {
    const settings = assetsSettings({ spelling, runbookUrl: "docs/observability/runbooks.md" });
    for (const [path, text] of configurationFiles(settings)) files.set(`${spelling}/${path}`, text);
    for (const [name, build] of Object.entries(dashboards)) {
      files.set(`${spelling}/dashboards/${name}.json`, adapted(JSON.stringify(build(), undefined, 2), settings));
    }
  }
  return files;
}
