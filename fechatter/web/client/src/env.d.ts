/** Whether the page of all components is part of this build. */
declare const __GALLERY__: boolean
