"""A bot that answers "!echo hello" with "hello" in every chat that it is a member of. It needs only Python:

    FECHATTER=http://127.0.0.1:6688 BOT_EMAIL=bot@example.com BOT_PASSWORD=… python examples/durable_bot.py

After any restart, of the server or of the bot, it continues at its position in the event log. BOT_CURSOR names the file
that stores this position.
"""

import http.client
import json
import os
import pathlib
import time
import urllib.error
import urllib.request

server = os.environ["FECHATTER"].rstrip("/")
account = {"email": os.environ["BOT_EMAIL"], "password": os.environ["BOT_PASSWORD"]}
cursor = pathlib.Path(os.environ.get("BOT_CURSOR", "echo_bot.cursor"))
session = {}


def call(path, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    headers |= {"Content-Type": "application/json"}
    if "access_token" in session:
        headers["Authorization"] = f"Bearer {session['access_token']}"
    return urllib.request.urlopen(urllib.request.Request(server + path, data, headers), timeout=60)


def sign_in():
    try:
        grant = call("/api/refresh", {"refresh_token": session["refresh_token"]})
    except (KeyError, urllib.error.HTTPError):
        grant = call("/api/signin", account)
    session.update(json.load(grant))


def echo(message):
    if message["sender_id"] == session["user"]["id"] or not message["content"].startswith("!echo "):
        return
    # With the key, a repeated answer is stored only once, for example after a lost response.
    reply = {"content": message["content"].removeprefix("!echo "), "idempotency_key": f"echo {message['id']}"}
    try:
        call(f"/api/chat/{message['chat_id']}/messages", reply).close()
    except urllib.error.HTTPError as refused:
        if refused.code in (401, 408, 429) or refused.code >= 500:
            raise  # so the stream starts again before this message; any other refusal is permanent


def follow():
    resume = {"Last-Event-ID": cursor.read_text()} if cursor.exists() else {}
    with call("/events", **resume) as stream:
        block = {}
        for line in stream:
            if line != b"\n":
                field, _, value = line.decode().rstrip("\n").partition(": ")
                block[field] = value
                continue
            if block.get("event") == "message.created":
                echo(json.loads(block["data"])["data"]["message"])
            if "id" in block:
                cursor.with_suffix(".new").write_text(block["id"])
                cursor.with_suffix(".new").replace(cursor)
            block = {}


while True:
    pause = 1.0
    try:
        if "access_token" not in session:
            sign_in()
        follow()
    except urllib.error.HTTPError as refused:
        pause = float(refused.headers.get("Retry-After", pause))
        if refused.code < 429 and session.pop("access_token", None) is None:
            raise SystemExit(f"Cannot sign in: {refused.read().decode()}") from None
    except (OSError, http.client.HTTPException) as trouble:
        print(f"{trouble}; trying again")
    time.sleep(pause)
