import { createRouter, createWebHistory, type RouteLocationNormalized, type RouteRecordRaw } from "vue-router"
import { remembered } from "@/api/token"
import { page } from "@/platform/lazy"

/** Every address of the client. Addresses outside the shell need no sign-in. */
const routes: RouteRecordRaw[] = [
  { path: "/signin", name: "signin", component: page(() => import("@/session/SignIn.vue")) },
  { path: "/signup", name: "signup", component: page(() => import("@/session/SetUp.vue")) },
  { path: "/setup", name: "setup", component: page(() => import("@/session/SetUp.vue")) },
  { path: "/join", name: "join", component: page(() => import("@/session/Join.vue")) },
  { path: "/reset", name: "reset", component: page(() => import("@/session/Reset.vue")) },
  { path: "/gallery", name: "gallery", component: page(() => import("@/gallery/Gallery.vue")) },
  {
    path: "/",
    component: page(() => import("@/shell/Shell.vue")),
    meta: { signedIn: true },
    children: [
      { path: "", name: "home", component: page(() => import("@/shell/Home.vue")) },
      {
        path: "chats/:chatId(\\d{1,16})/:number(\\d{1,16})?",
        name: "chat",
        component: page(() => import("@/chats/ChatPage.vue")),
        props: ({ params }) => ({ chatId: Number(params["chatId"]), number: Number(params["number"]) || null }),
      },
      { path: "people", name: "people", component: page(() => import("@/people/PeoplePage.vue")) },
      {
        path: "settings/:section?",
        name: "settings",
        component: page(() => import("@/settings/Settings.vue")),
        props: true,
      },
    ],
  },
  { path: "/:rest(.*)*", redirect: "/" },
]

export const router = createRouter({ history: createWebHistory("/"), routes })

router.beforeEach(guard)

/** Sends a person who is not signed in to the sign-in page, and to the wanted page after that. */
export function guard(to: RouteLocationNormalized) {
  if (!to.matched.some(record => record.meta["signedIn"]) || remembered() !== null) return true
  return { name: "signin", query: to.fullPath === "/" ? {} : { next: to.fullPath } }
}
