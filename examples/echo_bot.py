"""Answers "!echo hello" with "hello": FECHATTER=http://127.0.0.1:6688 BOT_EMAIL=… BOT_PASSWORD=… python echo_bot.py

If the server restarts or the token expires, the bot continues at its position. durable_bot.py also survives restarts of
the bot.
"""

import http.client
import json
import os
import time
from urllib.request import Request, urlopen

url, account = os.environ["FECHATTER"], {"email": os.environ["BOT_EMAIL"], "password": os.environ["BOT_PASSWORD"]}
resume, last = {}, ""


def call(path, body=None, token="", **headers):
    headers |= {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return urlopen(Request(url + path, body and json.dumps(body).encode(), headers), timeout=60)


while True:
    try:
        session = json.load(call("/api/signin", account))
        for line in call("/events", token=session["access_token"], **resume):
            field, _, value = line.decode().rstrip("\n").partition(": ")
            message = json.loads(value).get("data", {}).get("message") if field == "data" else None
            if message and message["content"].startswith("!echo ") and message["sender_id"] != session["user"]["id"]:
                # With the key, a repeated answer is stored once: after an edit of the message, or a lost response.
                content, key = message["content"].removeprefix("!echo "), f"echo {message['id']}"
                answer = {"content": content, "idempotency_key": key}
                call(f"/api/chat/{message['chat_id']}/messages", answer, session["access_token"]).close()
            last = value if field == "id" else last
            resume = {"Last-Event-ID": last} if line == b"\n" else resume
    except (OSError, http.client.HTTPException) as trouble:
        print(f"{trouble}; trying again", flush=True)
    time.sleep(1)
