import { el } from "./dom.ts";

/** Asks for the token; `undefined` when the user has none to give. */
export function askToken(wasWrong: boolean): Promise<string | undefined> {
  // No submit button: the first one of a form is what Enter presses.
  const cancel = el("button", { type: "button" }, "Cancel");
  const input = el("input", { id: "token", type: "password", autocomplete: "off", required: true });
  const dialog = el(
    "dialog",
    { "aria-labelledby": "token-title" },
    el(
      "form",
      { method: "dialog" },
      el("h2", { id: "token-title" }, "Token"),
      el("p", {}, wasWrong ? "That was not it." : "This takes the token that admin() was given. It stays in this page only."),
      el("label", { for: "token" }, "Token"),
      input,
      el("div", { class: "actions" }, cancel, el("button", { type: "submit", value: "send", class: "primary" }, "Use it")),
    ),
  );
  cancel.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "send" && input.value !== "" ? input.value : undefined);
    });
  });
}
