// The choice of light, dark, or what the system says.
import { useState } from "preact/hooks";
import { Button } from "./basics.jsx";

const NEXT = { "": "light", light: "dark", dark: "" };
const LABELS = {
  "": ["system", "Theme: as the system"],
  light: ["sun", "Theme: light"],
  dark: ["moon", "Theme: dark"],
};

export function ThemeSwitch() {
  const [theme, setTheme] = useState(document.documentElement.dataset.theme ?? "");
  function change() {
    const next = NEXT[theme];
    if (next) document.documentElement.dataset.theme = next;
    else delete document.documentElement.dataset.theme;
    try {
      localStorage.setItem("theme", next); // src/theme.js reads it before the next first paint
    } catch {
      // The choice lasts as long as the page.
    }
    setTheme(next);
    dispatchEvent(new Event("theme")); // Plots are drawn with colours, and have to be drawn again
  }
  const [icon, label] = LABELS[theme];
  return <Button look="quiet slim" icon={icon} label={label} onClick={change} />;
}
