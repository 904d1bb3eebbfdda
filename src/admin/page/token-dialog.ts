import { el } from "./dom.ts";

/** Asks the user for the token; resolves with `undefined` when the dialog is cancelled. */
export function askToken(wasWrong: boolean): Promise<string | undefined> {
  // Not a submit button: Enter presses the first one of a form.
  const cancel = el("button", { type: "button" }, "Cancel");
  const input = el("input", { id: "token", type: "password", autocomplete: "off", required: true });
  const dialog = el(
    "dialog",
    { "aria-labelledby": "token-title" },
    el(
      "form",
      { method: "dialog" },
      el("h2", { id: "token-title" }, "Token"),
      el("p", {}, wasWrong ? "That was not it." : "This needs the token that was given to admin(). It is kept in this page only."),
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
