/** Light or dark: as the system has it, until somebody chooses. */

import { signal } from "@preact/signals";

const system = matchMedia("(prefers-color-scheme: dark)");
export const theme = signal<"light" | "dark">(system.matches ? "dark" : "light");

const show = () => (document.documentElement.dataset.theme = theme.value);
show();

system.addEventListener("change", ({ matches }) => setTheme(matches ? "dark" : "light"));

export function setTheme(next: "light" | "dark"): void {
  document.documentElement.dataset.theme = next;
  theme.value = next;
}
