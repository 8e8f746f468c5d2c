// Runs before the client. It applies the chosen theme before the first paint, and it offers a reload if the client's
// script cannot be loaded: after an update, an old page names files that the server does not have.
{
  const TEXTS = {
    en: ["Fechatter could not be loaded.", "Reload"],
    zh: ["无法加载 Fechatter。", "重新加载"],
    ja: ["Fechatter を読み込めませんでした。", "再読み込み"],
  }

  /** The browser may refuse its storage. */
  const stored = key => {
    try {
      return localStorage.getItem(key)
    } catch {
      return null
    }
  }

  const language = () => {
    const wanted = [stored("fechatter.locale") ?? "", ...navigator.languages].map(tag => tag.split("-")[0])
    return wanted.find(tag => tag in TEXTS) ?? "en"
  }

  /** Drops the stored client if the server can be reached; otherwise only the stored client can start. */
  const reload = async () => {
    const isThere = await fetch("/health/simple", { cache: "no-store" }).then(
      response => response.ok,
      () => false,
    )
    try {
      const registrations = isThere ? await navigator.serviceWorker.getRegistrations() : []
      await Promise.all(registrations.map(registration => registration.unregister()))
      for (const name of isThere ? await caches.keys() : []) await caches.delete(name)
    } catch {
      // A browser without service workers stores no client.
    }
    location.reload()
  }

  const offerReload = () => {
    const [text, label] = TEXTS[language()]
    const notice = document.createElement("p")
    const button = document.createElement("button")
    notice.setAttribute("role", "alert")
    // The style sheet may be missing too.
    notice.style.cssText = "padding: 3rem 1rem; text-align: center; font: 1rem/2 system-ui, sans-serif"
    button.style.cssText = "padding: 0 1rem; border: 1px solid; border-radius: 6px; font: inherit; cursor: pointer"
    button.textContent = label
    button.onclick = () => void reload()
    notice.append(text, document.createElement("br"), button)
    document.getElementById("app").replaceChildren(notice)
  }

  const theme = stored("fechatter.theme")
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme

  const failed = event => {
    if (event.target?.type !== "module") return
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", offerReload, { once: true })
    else offerReload()
  }
  addEventListener("error", failed, { capture: true })
}
