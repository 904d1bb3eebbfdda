import { canariesByHealth, canaryHealth, decidedText } from "../../health/canaries.ts";
import type { CanaryRow } from "../../routes/canary-row.ts";
import { breakable, el, type Part, Parts, setAttributes, setText } from "../dom.ts";
import { percent, share, span, whole } from "../format.ts";

/** The canaries of the process or of a service, the worst first: each with its phase, its steps, and the counts that it is judged by. */
export class CanaryList {
  readonly element: HTMLElement;
  readonly #parts: Parts<TimedCanary>;

  constructor() {
    const list = el("ul", { class: "canaries" });
    this.#parts = new Parts(list, keyOf, canaryItem);
    this.element = el(
      "section",
      { class: "card", "aria-labelledby": "canaries", hidden: true },
      el("h2", { id: "canaries" }, "Canaries"),
      list,
    );
  }

  /** A process of an earlier version says nothing of canaries. */
  show(canaries: readonly CanaryRow[] | undefined, atMs: number): void {
    this.element.hidden = canaries === undefined || canaries.length === 0;
    this.#parts.show(canariesByHealth(canaries ?? []).map((row) => ({ row, atMs })));
  }
}

/** A canary at the time of its process: the clock of the browser may be another one. */
interface TimedCanary {
  readonly row: CanaryRow;
  readonly atMs: number;
}

/** Other steps or targets are another canary. */
function keyOf({ row: { rule, steps, canary, stable } }: TimedCanary): string {
  return JSON.stringify([rule, steps, canary.target, stable.target]);
}

function canaryItem({ row: { rule, steps, canary, stable } }: TimedCanary): Part<TimedCanary> {
  const badge = el("span", { class: "badge" });
  const chips = steps.map((step) => el("li", {}, `${step} %`));
  const [now, next, before, since, decided] = [el("dd"), el("dd"), el("dd"), el("dd"), el("dd")];
  const why = el("p", { class: "message" });
  const fact = (title: string, value: HTMLElement) => el("div", {}, el("dt", {}, title), value);
  const element = el(
    "li",
    { class: "canary" },
    el("div", { class: "title" }, el("h3", {}, ...breakable(rule)), badge),
    el("ol", { class: "steps", "aria-label": `Steps of ${rule}` }, ...chips),
    el(
      "dl",
      { class: "facts" },
      fact("Share", now),
      fact(`Canary ${canary.target}`, next),
      fact(`Stable ${stable.target}`, before),
      fact("In this phase for", since),
      fact("Decided by", decided),
    ),
    why,
  );
  return {
    element,
    update({ row, atMs }) {
      const health = canaryHealth(row);
      setAttributes(badge, { class: `badge ${health}` });
      setText(badge, row.state);
      chips.forEach((chip, index) => {
        const isNow = index === row.step - 1 && row.state !== "rolled-back";
        const isOver = index < row.step - 1 || row.state === "finished";
        setAttributes(chip, { class: isNow ? `now ${health}` : isOver ? "over" : undefined, "aria-current": isNow ? "step" : undefined });
      });
      setText(now, share(row.share));
      setText(next, countsOf(row.canary));
      setText(before, countsOf(row.stable));
      setText(since, span(atMs - row.sinceMs));
      setText(decided, decidedText(row));
      setText(why, row.why);
    },
  };
}

/** `3 of 400 failed (0.8 %)`, whose last part is not broken. */
function countsOf({ calls, failures }: CanaryRow["canary"]): string {
  if (calls === 0) return "no call yet";
  return `${whole(failures)} of ${whole(calls)} failed (${percent(failures / calls).replace(" ", "\u00a0")})`;
}
