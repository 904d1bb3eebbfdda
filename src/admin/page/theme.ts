import { el, setAttributes, setText } from "./dom.ts";

type Theme = "light" | "dark";

const key = "inmesh-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** Called when the colours have changed. */
export type ThemeListener = () => void;

/** The button that switches between light and dark. The choice is kept in this browser; before it, the setting of the system holds. */
export function themeButton(onChange: ThemeListener): HTMLButtonElement {
  const button = el("button", { type: "button", class: "quiet" });
  let chosen = stored();
  const show = () => {
    const theme = chosen ?? (system.matches ? "dark" : "light");
    setAttributes(document.documentElement, { "data-theme": theme });
    setText(button, theme === "dark" ? "☀ Light" : "☾ Dark");
    setAttributes(button, { "aria-label": `Change to ${theme === "dark" ? "light" : "dark"} colours` });
    onChange();
  };
  button.addEventListener("click", () => {
    chosen = document.documentElement.dataset["theme"] === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(key, chosen);
    } catch {
      // Without storage the choice holds for this page only.
    }
    show();
  });
  system.addEventListener("change", show);
  show();
  return button;
}

/** The value of a colour in the style sheet, for a canvas. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function stored(): Theme | undefined {
  try {
    const value = localStorage.getItem(key);
    return value === "light" || value === "dark" ? value : undefined;
  } catch {
    return undefined;
  }
}
