import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router"

const routes: RouteRecordRaw[] = [
  { path: "/", name: "home", component: () => import("@/shell/Workspace.vue") },
  { path: "/gallery", name: "gallery", component: () => import("@/gallery/Gallery.vue") },
  { path: "/:rest(.*)*", redirect: "/" },
]

export const router = createRouter({ history: createWebHistory("/"), routes })
