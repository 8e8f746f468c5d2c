// Runs before the first paint, so that nobody who chose a theme sees the other one flash.
try {
  const theme = localStorage.getItem("fechatter.theme")
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme
} catch {
  // Storage is refused: the system's theme stands.
}
