/** `/`: the chats. Puts the parts together; each is in a file of its own. */

import { call } from "../api.js";
import { byId, tell } from "../element.js";
import { request } from "../http.js";
import { chatTitle } from "../names.js";
import { Outbox } from "../outbox.js";
import { Room } from "../room.js";
import { SignedOut, signOut } from "../session.js";
import { State } from "../state.js";
import { LiveStream } from "../stream.js";
import { Strangers } from "../strangers.js";
import { Pause, pauseMs } from "../wait.js";
import { openChannels } from "../view/channels.js";
import { countUnread, showChats } from "../view/chats.js";
import { Composer } from "../view/composer.js";
import { showConnection } from "../view/connection.js";
import { mayInvite, openInvite } from "../view/invite.js";
import { openAddPeople, openNewChannel, openNewDirect } from "../view/new_chat.js";

const state = new State(show);
const outbox = new Outbox(sent, show);
const room = new Room(state, outbox, show);
const strangers = new Strangers(state);
const startPause = new Pause();
let composer = null;
let stream = null;
let isDrawing = false;

/** Draw once, however much changed at a time. */
function show() {
  if (isDrawing || state.me === null) return;
  isDrawing = true;
  setTimeout(() => {
    isDrawing = false;
    draw();
  });
}

function draw() {
  const chatId = room.timeline?.chatId ?? null;
  if (chatId !== null && room.chat === null) return go("#");
  const unread = countUnread(state);
  document.title = `${unread ? `(${unread}) ` : ""}${state.workspace.name} - Fechatter`;
  tell(byId("workspace"), state.workspace.name);
  byId("invite").hidden = !mayInvite(state.me);
  showChats(state, chatId);
  room.show();
  composer.allow(room.chat !== null && !room.chat.archived_at);
  if (room.timeline) strangers.meet(room.timeline.messages);
}

/** The address names the open chat, so that the browser's Back goes back. */
function go(hash) {
  location.hash = hash;
}

function openFromAddress() {
  const wanted = Number(/^#chat=(\d{1,16})$/.exec(location.hash)?.[1]);
  const chat = state.chats.get(wanted) ?? null;
  byId("house").classList.toggle("in-room", chat !== null);
  room.open(chat?.id ?? null);
  if (chat !== null) composer.open(chat.id, chatTitle(chat, state.me));
  draw();
  if (chat !== null) composer.focus();
}

function made(chat) {
  state.add(chat);
  go(`#chat=${chat.id}`);
}

function stored(message) {
  if (room.timeline?.chatId === message.chat_id) room.timeline.take(message);
}

/** An own message was taken: the server is back, and the stream need not wait longer. */
function sent(message) {
  stored(message);
  stream?.wake();
}

function take(event, frame) {
  if (event === "read.moved") return state.read(frame.data.read.chat_id, frame.data.read.last_read_number);
  if (event === "resumed") return frame.reads.forEach((read) => state.read(read.chat_id, read.last_read_number));
  if (event === "closing" || !state.apply(frame)) return;
  if (frame.data.message) takeMessage(frame);
  const isMine = frame.data.member?.user_id === state.me.id;
  if (frame.type === "member.joined" && isMine && room.timeline?.chatId === frame.chat_id) room.open(frame.chat_id);
}

function takeMessage({ type, data: { message } }) {
  if (type === "message.created" && message.sender_id === state.me.id) outbox.echo(message);
  const isShown = type === "message.created" || room.timeline?.has(message.number);
  if (isShown) stored(message);
}

async function reload() {
  const answer = await call("GET", "/api/sync");
  state.load(answer);
  if (room.timeline) room.open(room.timeline.chatId);
  return answer.cursor;
}

function toSignIn() {
  location.replace("/signin");
}

/** The first load, tried until it succeeds or the session proves to be over. */
async function start() {
  for (let failures = 1; ; failures += 1) {
    try {
      showConnection("connecting");
      const { limits } = (await request("GET", "/api/server")).body;
      const cursor = await reload();
      composer = new Composer((chatId, content) => send(chatId, content), limits.message_characters);
      return follow(cursor);
    } catch (error) {
      if (error instanceof SignedOut) return toSignIn();
      const wait = pauseMs(failures, error.retryAfterSeconds);
      showConnection("waiting", Date.now() + wait);
      await startPause.sleep(wait);
    }
  }
}

function follow(cursor) {
  byId("chats").inert = false;
  openFromAddress();
  addEventListener("hashchange", openFromAddress);
  stream = new LiveStream(cursor, { frame: take, reload, state: connection, signedOut: toSignIn });
  stream.run();
}

function connection(name, untilMs) {
  showConnection(name, untilMs);
  if (name !== "live") return;
  outbox.wake();
  if (room.timeline?.problem) room.timeline.load();
}

function send(chatId, content) {
  outbox.add(chatId, content);
  room.toEnd();
}

function tryNow() {
  startPause.wake();
  stream?.wake();
  outbox.wake();
}

async function leave() {
  const { chat } = room;
  if (!confirm(`Leave ${chatTitle(chat, state.me)}?`)) return;
  await orTell(() => call("POST", `/api/chat/${chat.id}/leave`));
}

/** Run what a button asks for; a refusal is said. */
async function orTell(work) {
  try {
    await work();
  } catch (error) {
    alert(error.message);
  }
}

byId("reconnect").addEventListener("click", tryNow);
byId("invite").addEventListener("click", () => openInvite(state.workspace));
byId("browse").addEventListener("click", () => openChannels((chat) => state.add(chat), (id) => go(`#chat=${id}`)));
byId("new-channel").addEventListener("click", () => openNewChannel(made));
byId("new-direct").addEventListener("click", () => openNewDirect(state.me, made));
byId("add-people").addEventListener("click", () => openAddPeople(room.chat));
byId("leave").addEventListener("click", leave);
byId("sign-out").addEventListener("click", () => orTell(async () => (await signOut(), toSignIn())));

addEventListener("online", () => (stream?.restart(), tryNow()));
addEventListener("focus", () => room.markRead());
document.addEventListener("visibilitychange", () => (room.markRead(), document.visibilityState === "visible" && tryNow()));
addEventListener("beforeunload", (event) => outbox.items.length && event.preventDefault());

start();
