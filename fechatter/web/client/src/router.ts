import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  { path: "/", name: "home", component: () => import("@/shell/Workspace.vue") },
  { path: "/:rest(.*)*", redirect: "/" },
]

if (__GALLERY__) routes.unshift({ path: "/gallery", component: () => import("@/gallery/Gallery.vue") })

export const router = createRouter({ history: createWebHistory("/"), routes })
