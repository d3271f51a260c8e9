// Sets the chosen theme before the first paint. It is a file of its own, because the policy allows
// no inline script, and it blocks, because the page would flash otherwise.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's theme is shown.
}
