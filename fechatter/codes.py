"""Every stable code a refusal can carry: its status, what it means, and what to do. `errors.py` raises no other.

`PROBLEMS` are the codes of problems, `FIELDS` those of the single values that a problem `invalid` lists. The page of problems
(`/docs/problems`) and the codes in `/openapi.json` are made from these two tables.
"""

from __future__ import annotations

import msgspec


class Code(msgspec.Struct, frozen=True):
    """One problem.

    Attributes:
        status: of its HTTP answer.
        remedy: what whoever meets it does.
        public: False when only the command line tells it.
    """

    status: int
    means: str
    remedy: str
    public: bool = True


PROBLEMS: dict[str, Code] = {
    "malformed_json": Code(400, "The body is not JSON in UTF-8.", "Send one JSON value."),
    "malformed_utf8": Code(400, "The body holds bytes that are not UTF-8.", "Encode the body as UTF-8."),
    "malformed_host": Code(400, "There is no `Host`, or more than one.", "Send one."),
    "incomplete_body": Code(400, "The body ended before it was whole.", "Send it again, with its right length."),
    "unauthorized": Code(401, "There is no access token, or it is not good, or no longer.", "Refresh the session, or sign in."),
    "session_ended": Code(401, "The session was ended, or its person disabled.", "Sign in again."),
    "wrong_credentials": Code(401, "E-mail address or password is wrong.", "Ask for both again; which one is wrong is not told."),
    "token_reused": Code(
        401,
        "An old refresh token came back, so somebody may have copied it. The session has ended.",
        "Sign in again, and keep only the newest refresh token.",
    ),
    "forbidden": Code(403, "Your role, or who you are to this chat, does not allow it.", "Ask somebody who may."),
    "chat_archived": Code(403, "The chat is archived: it can be read, not changed.", "Have it brought back first."),
    "not_the_sender": Code(403, "The message is somebody else's.", "Ask its sender, or who may moderate the chat."),
    "message_deleted": Code(403, "The message was deleted and cannot be edited.", "Send a new one."),
    "too_many_edits": Code(403, "The message was edited as often as a message may be.", "Send a new one."),
    "wrong_password": Code(403, "The current password is wrong.", "Ask for it again."),
    "invitation_refused": Code(403, "The invitation is not good, used up, or no longer valid.", "Ask for a new one."),
    "invitation_revoked": Code(403, "The invitation was revoked.", "Ask for a new one."),
    "invitation_used": Code(403, "The invitation has no uses left.", "Sign in, or ask for a new one."),
    "invitation_expired": Code(403, "The invitation has expired.", "Ask for a new one."),
    "reset_link_used": Code(403, "The password reset link has already been used.", "Sign in with the new password, or ask for a new link."),
    "reset_link_revoked": Code(403, "A newer password reset link replaced this one, or it was revoked.", "Use the newest link."),
    "reset_link_expired": Code(403, "The password reset link has expired.", "Ask an admin for a new one."),
    "account_disabled": Code(403, "The password is right, but the account is disabled.", "Ask an admin to enable it."),
    "signup_closed": Code(403, "People join this server by invitation only.", "Ask for an invitation."),
    "setup_token_refused": Code(403, "The set-up token is not good, or was used.", "Look for the newest one in the server's output."),
    "cross_site": Code(
        403, "A cookie came without the header of our own pages, or from another site.", "Send `refresh_token` in the body."
    ),
    "not_found": Code(404, "It is not there, or you may not see it; which of both is not told.", "Drop it from what you show."),
    "method_not_allowed": Code(405, "This address knows other methods; `allow` lists them.", "Use one of those."),
    "body_timeout": Code(408, "The body did not come in time.", "Send it again, without a pause."),
    "conflict": Code(409, "Something else already has this place.", "Load what is there and decide anew."),
    "name_taken": Code(409, "Another public channel has this name.", "Choose another name, or join that channel."),
    "idempotency_conflict": Code(409, "The idempotency key was sent before, with something else.", "Make a new key for each new thing."),
    "workspace_required": Code(
        409, "The password fits accounts of several workspaces; `workspaces` lists them.", "Sign in with `workspace`."
    ),
    "workspace_taken": Code(409, "There is a workspace of this name.", "Choose another name."),
    "email_taken": Code(409, "This e-mail address has an account in this workspace.", "Sign in with it."),
    "handle_taken": Code(409, "Somebody else has this handle.", "Choose another."),
    "last_owner": Code(409, "A workspace keeps at least one owner.", "Make somebody else an owner first."),
    "password_changed": Code(409, "The password was changed meanwhile.", "Ask for the current password again."),
    "reset": Code(
        410,
        "Events cannot continue from this position: `reason` is `epoch` (the log does not contain it), `ahead`, `pruned` or `too_many`.",
        "Load `/api/sync` and go on from its cursor.",
    ),
    "body_too_large": Code(413, "The body has more than `limit_bytes` bytes.", "Send less, or several requests."),
    "unsupported_media_type": Code(415, "The body is not `application/json`.", "Send JSON, and say so in `Content-Type`."),
    "invalid": Code(
        422, "The request is well formed, but a value is not allowed; `errors` lists each.", "Mend the values at their places."
    ),
    "too_many_requests": Code(429, "More requests than allowed.", "Wait for the seconds in `Retry-After`."),
    "too_many_attempts": Code(429, "More attempts than allowed.", "Wait for the seconds in `Retry-After`."),
    "rate_limited": Code(429, "More requests than allowed.", "Wait for the seconds in `Retry-After`."),
    "too_many_at_once": Code(429, "Too many requests of this address are being answered at once.", "Wait for answers before asking more."),
    "too_many_streams": Code(429, "You have as many live streams open as one person may.", "Close another stream first."),
    "internal_error": Code(500, "Something went wrong in the server.", "Tell its operator the `request_id`: the log has the rest."),
    "unavailable": Code(
        503, "The server cannot do it at this moment; nothing was kept.", "Send the same request again after `Retry-After`."
    ),
    "sign_in_busy": Code(503, "Too many people sign in at this moment.", "Try again after `Retry-After`."),
    "intake_full": Code(503, "Too many messages wait to be stored; this one was not kept.", "Send it again with the same idempotency key."),
    "batches_full": Code(503, "Too many request bodies are being received.", "Send it again with the same idempotency keys."),
    "not_stored": Code(503, "The message could not be stored.", "Send it again with the same idempotency key."),
    "writer_full": Code(503, "Too many changes wait to be stored; this one was not kept.", "Send it again after `Retry-After`."),
    "database_busy": Code(503, "Too many requests wait for the database.", "Send the same request again after `Retry-After`."),
    "storage_full": Code(503, "The server's disk is full; nothing was kept.", "Tell its operator, and try again later."),
    "storage_unavailable": Code(503, "The database does not answer.", "Send the same request again after `Retry-After`."),
    "stream_behind": Code(503, "Events come faster than this stream could read what it missed.", "Connect again with the same cursor."),
    "stopping": Code(503, "The server is stopping.", "Connect again after `Retry-After`."),
    "workspace_not_found": Code(404, "There is no such workspace.", "List them with `fechatter workspaces list`.", public=False),
    "user_not_found": Code(404, "There is nobody of this name in the workspace.", "List people with `fechatter users list`.", public=False),
    "session_not_found": Code(404, "This person has no such session.", "List them with `fechatter sessions list`.", public=False),
    "name_differs": Code(403, "The name typed is not the workspace's.", "Type it exactly.", public=False),
}

FIELDS: dict[str, str] = {
    "missing": "It has to be there.",
    "unknown_field": "There is no such field here.",
    "unknown_parameter": "There is no such parameter here.",
    "duplicate_field": "It is there twice.",
    "duplicate_parameter": "It is there twice.",
    "invalid_type": "It is of another type, such as a text for a number.",
    "invalid_value": "It is none of the values allowed.",
    "out_of_range": "The number is too small or too large.",
    "too_long": "It has more characters than allowed.",
    "too_short": "It has fewer characters than needed.",
    "too_many": "The list has more entries than allowed.",
    "too_many_marks": "One character has too many combining marks.",
    "too_few": "The list has fewer entries than needed.",
    "empty": "There is nothing in it.",
    "blank": "It has no visible character.",
    "control_character": "It holds a control character that is not allowed here.",
    "invalid_character": "It holds half of a surrogate pair, which is no character.",
    "invalid_cursor": "It is not a cursor that this server gave.",
    "invalid_email": "It is not a valid e-mail address.",
    "invalid_handle": "A handle has letters, digits and `. _ -` only, a letter or digit first.",
    "invalid_key": "An idempotency key has 1 to 64 characters, none of them a control character.",
    "invalid_language": "It is not a language tag, such as `en` or `pt-BR`.",
    "invalid_name": "A workspace's name holds a letter or a digit.",
    "invalid_timezone": "It is not a name in the time zone database, such as `Europe/Zurich`.",
    "key_mismatch": "The body's key differs from the `Idempotency-Key` header.",
    "conflicting_parameters": "Only one of these parameters can be given.",
    "not_together": "It does not go together with another field.",
    "not_storable": "The database cannot store this value.",
    "not_allowed": "A chat of this kind has none.",
    "oneself": "It is yourself, where somebody else is needed.",
    "unknown_channel": "There is no such public channel, or it is archived.",
    "unknown_user": "There is no such person here, or none whom you may see.",
    "mismatch": "Both have to be the same.",
}
