import { change } from "./api.ts";
import { el, setText } from "./dom.ts";

const durations: readonly (readonly [seconds: number, text: string])[] = [
  [30, "30 seconds"],
  [300, "5 minutes"],
  [1_800, "30 minutes"],
  [7_200, "2 hours"],
];

/** Asks for a time, and takes an instance out of rotation for it. */
export function openEjectDialog(service: string, endpoint: string): void {
  const select = el("select", { id: "eject-for" }, ...durations.map(([seconds, text]) => el("option", { value: seconds }, text)));
  const cancel = el("button", { type: "button" }, "Cancel");
  const problem = el("p", { class: "problem", role: "alert" });
  const form = el(
    "form",
    { method: "dialog" },
    el("h2", { id: "eject-title" }, "Take an instance out"),
    el("p", {}, `${endpoint} of ${service} gets no attempts from this process until then, unless no other instance is left.`),
    el("label", { for: "eject-for" }, "For"),
    select,
    problem,
    el("div", { class: "actions" }, cancel, el("button", { type: "submit", class: "primary" }, "Take it out")),
  );
  const dialog = el("dialog", { "aria-labelledby": "eject-title" }, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void eject(service, endpoint, Number(select.value) * 1_000).then((wrong) => {
      if (wrong === undefined) dialog.close();
      else setText(problem, wrong);
    });
  });
  cancel.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function eject(service: string, endpoint: string, forMs: number): Promise<string | undefined> {
  return change(`api/services/${encodeURIComponent(service)}/eject`, { endpoint, forMs });
}

/** Puts an instance back into rotation. Resolves with the error text, if there is one. */
export function readmit(service: string, endpoint: string): Promise<string | undefined> {
  return change(`api/services/${encodeURIComponent(service)}/readmit`, { endpoint });
}
