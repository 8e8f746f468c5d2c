import { createPinia } from "pinia"
import { createApp } from "vue"
import App from "@/App.vue"
import { preferredLocale, setLocale } from "@/i18n"
import { guardComposition } from "@/platform/composition"
import { refuseFiles } from "@/platform/files"
import { onMissingPart } from "@/platform/lazy"
import { router } from "@/router"
import { showFilesLater } from "@/shell/files"
import { offerReload } from "@/shell/missing"
import "@/styles/tokens.css"
import "@/styles/base.css"

guardComposition()
refuseFiles(showFilesLater)
onMissingPart(offerReload)
// If the language does not load, the client starts in English.
await setLocale(preferredLocale()).catch(() => undefined)
createApp(App).use(createPinia()).use(router).mount("#app")
