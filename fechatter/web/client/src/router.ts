import { createRouter, createWebHistory, type RouteLocationNormalized, type RouteRecordRaw } from "vue-router"
import { remembered } from "@/api/token"

/** Every address of the client; those outside `shell` answer strangers too. */
const routes: RouteRecordRaw[] = [
  { path: "/signin", name: "signin", component: () => import("@/session/SignIn.vue") },
  { path: "/signup", name: "signup", component: () => import("@/session/SetUp.vue") },
  { path: "/setup", name: "setup", component: () => import("@/session/SetUp.vue") },
  { path: "/join", name: "join", component: () => import("@/session/Join.vue") },
  { path: "/reset", name: "reset", component: () => import("@/session/Reset.vue") },
  { path: "/gallery", name: "gallery", component: () => import("@/gallery/Gallery.vue") },
  {
    path: "/",
    component: () => import("@/shell/Shell.vue"),
    meta: { signedIn: true },
    children: [
      { path: "", name: "home", component: () => import("@/shell/Home.vue") },
      {
        path: "chats/:chatId(\\d{1,16})/:number(\\d{1,16})?",
        name: "chat",
        component: () => import("@/chats/ChatPage.vue"),
        props: ({ params }) => ({ chatId: Number(params["chatId"]), number: Number(params["number"]) || null }),
      },
      { path: "people", name: "people", component: () => import("@/people/PeoplePage.vue") },
      {
        path: "settings/:section?",
        name: "settings",
        component: () => import("@/settings/Settings.vue"),
        props: true,
      },
    ],
  },
  { path: "/:rest(.*)*", redirect: "/" },
]

export const router = createRouter({ history: createWebHistory("/"), routes })

router.beforeEach(guard)

/** Where somebody goes first who is not signed in; afterwards they come where they wanted to. */
export function guard(to: RouteLocationNormalized) {
  if (!to.matched.some(record => record.meta["signedIn"]) || remembered() !== null) return true
  return { name: "signin", query: to.fullPath === "/" ? {} : { next: to.fullPath } }
}
