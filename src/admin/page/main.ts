import { identityFact } from "../health/identity.ts";
import type { MeshSnapshot } from "../snapshot.ts";
import { el, setAttributes, setText } from "./dom.ts";
import { Feed } from "./feed.ts";
import { span } from "./format.ts";
import { Overview } from "./overview.ts";
import { routedService } from "./route.ts";
import { ServiceView } from "./service-view.ts";
import { themeButton } from "./theme.ts";
import type { View } from "./view.ts";

/** How long the page shows that the process was restarted, in milliseconds. */
const restartTold = 15_000;

const main = document.getElementById("main") as HTMLElement;
const banner = document.getElementById("banner") as HTMLElement;
const state = el("span", { class: "state idle" }, "connecting");
const about = el("span", { class: "about" });
let view: View | undefined;
let latest: MeshSnapshot | undefined;
let restartedAt = Number.NEGATIVE_INFINITY;

const theme = themeButton(() => view?.recolour?.());
document
  .querySelector("header")
  ?.append(
    el("a", { href: "#/", class: "brand" }, el("img", { src: "icon.svg", alt: "", width: 22, height: 22 }), "inmesh"),
    about,
    state,
    theme,
  );

const feed = new Feed({
  onSnapshot(snapshot) {
    const before = latest?.process;
    latest = snapshot;
    const { pid, node, zone, uptimeS, certificateExpiresAtMs } = snapshot.process;
    // In a container the pid is the same after each start.
    if (before !== undefined && (before.pid !== pid || uptimeS < before.uptimeS)) restartedAt = performance.now();
    setAttributes(state, { class: "state ok" });
    setText(state, "live");
    const certificate = certificateExpiresAtMs === null ? undefined : `certificate ends in ${span(certificateExpiresAtMs - snapshot.atMs)}`;
    const facts = [
      `pid ${pid}`,
      `Node ${node}`,
      zone === null ? undefined : `zone ${zone}`,
      `up ${span(uptimeS * 1_000)}`,
      identityFact(snapshot.process),
      certificate,
    ];
    setText(about, facts.filter((fact) => fact !== undefined).join(" · "));
    tell(
      performance.now() - restartedAt < restartTold ? `The process was restarted: it is pid ${pid} now, and has counted since then.` : "",
      "degraded",
    );
    view?.show(snapshot);
  },
  onLost(why) {
    setAttributes(state, { class: "state failing" });
    setText(state, "lost");
    tell(`${why} What is shown is old; trying again each second.`, "failing");
  },
});

function tell(text: string, kind: string): void {
  setText(banner, text);
  setAttributes(banner, { class: text === "" ? undefined : kind });
}

function route(): void {
  const service = routedService(location.hash);
  view?.close();
  view = service === undefined ? new Overview() : new ServiceView(service);
  document.title = `${view.title} · inmesh`;
  main.replaceChildren(view.element);
  if (latest !== undefined) view.show(latest);
}

addEventListener("hashchange", () => {
  route();
  scrollTo(0, 0);
  main.focus();
});
// A hidden page reads nothing.
document.addEventListener("visibilitychange", () => (document.hidden ? feed.stop() : feed.start()));
route();
if (!document.hidden) feed.start();
