/** Finds host names that look like others because of letters of another script, as browsers do. Pure. */

/** Scripts that are used together in Chinese, Japanese and Korean, and with plain Latin. */
const TOGETHER = /^[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Bopo}a-z0-9_-]*$/iu
const LATIN = /^[a-z0-9_\u00c0-\u024f\u1ea0-\u1eff-]*$/iu
const HAS_LATIN = /\p{sc=Latin}/u
/** Cyrillic, Greek and Armenian letters that look like Latin letters. */
const LETTERS =
  "\u0430\u0441\u0501\u0435\u04bb\u0456\u0458\u04cf\u043e\u0440\u051b\u0455\u051d\u0445\u0443\u044a\u044c" +
  "\u04bd\u043f\u0433\u0475\u0461\u043a\u043c\u0442\u0432\u043d\u03b1\u03b9\u03ba\u03bd\u03c1\u03c5\u03c9" +
  "\u03b7\u03bf\u03c4\u03b5\u03c7\u03b3\u0578\u057d\u0585\u0570\u0575\u0581"
const ALIKE = new RegExp(`^[${LETTERS}\\d_-]*$`, "iu")

/** Whether a host name may be mistaken for another one. Plain ASCII never is. */
export function isHomograph(host: string): boolean {
  return host.split(/[.@:]/u).some(isAlike)
}

function isAlike(label: string): boolean {
  if (TOGETHER.test(label) || LATIN.test(label)) return false
  return HAS_LATIN.test(label) || ALIKE.test(label)
}
