import { createPinia } from "pinia"
import { createApp } from "vue"
import App from "@/App.vue"
import { preferredLocale, setLocale } from "@/i18n"
import { router } from "@/router"
import "@/styles/tokens.css"
import "@/styles/base.css"

// In English where the language does not load: better than nothing at all.
await setLocale(preferredLocale()).catch(() => undefined)
createApp(App).use(createPinia()).use(router).mount("#app")
