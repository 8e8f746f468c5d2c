"""Every stable error code, with its status, meaning and remedy. `errors.py` raises no other codes.

`PROBLEMS` lists the codes of problems. `FIELDS` lists the codes of the field errors in an `invalid` problem. The page
`/docs/problems` and the codes in `/openapi.json` are generated from these tables.
"""

from __future__ import annotations

import msgspec


class Code(msgspec.Struct, frozen=True):
    """The definition of a problem's code.

    Attributes:
        status: the HTTP status.
        means: the cause, in one sentence.
        remedy: what the client or its user can do.
        public: False if only the command line reports it.
    """

    status: int
    means: str
    remedy: str
    public: bool = True


PROBLEMS: dict[str, Code] = {
    "malformed_json": Code(400, "The body is not JSON in UTF-8.", "Send one JSON value."),
    "malformed_utf8": Code(400, "The body contains bytes that are not UTF-8.", "Encode the body as UTF-8."),
    "malformed_host": Code(400, "The `Host` header is missing or repeated.", "Send exactly one."),
    "malformed_head": Code(400, "The head of the request is malformed or ambiguous.", "Send it in one valid form."),
    "incomplete_body": Code(400, "The body ended too early.", "Send it again with the right length."),
    "unauthorized": Code(401, "The access token is missing, invalid or expired.", "Refresh the session, or sign in."),
    "invalid_ticket": Code(401, "The ticket is invalid.", "Ask for a new one at `/api/stream-ticket`."),
    "ticket_expired": Code(401, "The ticket has expired.", "Ask for a new one at `/api/stream-ticket`."),
    "ticket_used": Code(401, "The ticket was used before.", "Ask for a new one at `/api/stream-ticket`."),
    "session_ended": Code(401, "The session has ended, or the account was disabled.", "Sign in again."),
    "wrong_credentials": Code(
        401,
        "The e-mail address or the password is wrong.",
        "Ask for both again; the server does not reveal which one is wrong.",
    ),
    "token_reused": Code(
        401,
        "An old refresh token was used again, so somebody may have copied it. The session has ended.",
        "Sign in again, and keep only the newest refresh token.",
    ),
    "forbidden": Code(
        403, "Your role in the workspace or in the chat does not allow this.", "Ask somebody who has the right."
    ),
    "chat_archived": Code(403, "The chat is archived. It is read-only.", "Ask for the chat to be unarchived first."),
    "not_the_sender": Code(
        403, "Only the author can edit or delete this message.", "Ask the author or a moderator of the chat."
    ),
    "message_deleted": Code(403, "The message was deleted and cannot be edited.", "Send a new message."),
    "too_many_edits": Code(403, "The message has reached the maximum number of edits.", "Send a new message."),
    "wrong_password": Code(403, "The current password is wrong.", "Ask for it again."),
    "invitation_refused": Code(
        403, "There is no such invitation, or it is for another e-mail address.", "Ask for a new one."
    ),
    "invitation_revoked": Code(403, "The invitation was revoked.", "Ask for a new one."),
    "invitation_used": Code(403, "The invitation has no uses left.", "Sign in, or ask for a new one."),
    "invitation_expired": Code(403, "The invitation has expired.", "Ask for a new one."),
    "reset_link_used": Code(
        403, "The password reset link has already been used.", "Sign in with the new password, or ask for a new link."
    ),
    "reset_link_revoked": Code(
        403, "The password reset link was revoked or replaced by a newer one.", "Use the newest link."
    ),
    "reset_link_expired": Code(403, "The password reset link has expired.", "Ask an admin for a new one."),
    "account_disabled": Code(403, "The password is right, but the account is disabled.", "Ask an admin to enable it."),
    "signup_closed": Code(403, "People join this server by invitation only.", "Ask for an invitation."),
    "setup_token_refused": Code(
        403, "The set-up token is invalid or was used.", "Find the newest one in the server's output."
    ),
    "cross_site": Code(
        403,
        "A cookie was sent without the `X-Requested-With` header of the web client, or a cookie or a WebSocket comes "
        "from another site.",
        "Send `refresh_token` in the body, or ask the operator to allow your site.",
    ),
    "not_found": Code(
        404,
        "The object does not exist, or you cannot see it; the server does not reveal which.",
        "Remove the object from the view.",
    ),
    "method_not_allowed": Code(
        405, "This URL does not support the method; `allow` lists the supported ones.", "Use one of those."
    ),
    "body_timeout": Code(408, "The body did not arrive in time.", "Send it again without a pause."),
    "head_timeout": Code(408, "The head of the request did not arrive in time.", "Send it again without a pause."),
    "conflict": Code(409, "The request does not fit the current state.", "Load the current state and decide again."),
    "name_taken": Code(409, "Another public channel has this name.", "Choose another name, or join that channel."),
    "idempotency_conflict": Code(
        409, "The idempotency key was used before, with different content.", "Create a new key for each new request."
    ),
    "workspace_required": Code(
        409,
        "The password is right for accounts in several workspaces; `workspaces` lists them.",
        "Sign in with `workspace`.",
    ),
    "workspace_taken": Code(409, "Another workspace has this name.", "Choose another name."),
    "email_taken": Code(409, "An account in this workspace has this e-mail address.", "Sign in with it."),
    "handle_taken": Code(409, "Another person has this handle.", "Choose another one."),
    "last_owner": Code(409, "A workspace needs at least one owner.", "Make another person an owner first."),
    "password_changed": Code(409, "The password was changed in the meantime.", "Ask for the current password again."),
    "reset": Code(
        410,
        "Events cannot continue from this position: `reason` is `epoch` (the log does not contain it), `ahead`, "
        "`pruned` or `too_many`.",
        "Load `/api/sync` and continue from its cursor.",
    ),
    "body_too_large": Code(
        413, "The body has more than `limit_bytes` bytes.", "Send less, or split it into several requests."
    ),
    "uri_too_long": Code(414, "The URL is too long.", "Send fewer or shorter parameters."),
    "unsupported_media_type": Code(415, "The body is not `application/json`.", "Send JSON with that `Content-Type`."),
    "invalid": Code(
        422, "The request is well-formed, but a value is invalid; `errors` lists each.", "Correct the values."
    ),
    "upgrade_required": Code(
        426, "The URL is for WebSockets only, of version 13.", "Connect with a WebSocket, or listen to `/events`."
    ),
    "too_many_requests": Code(429, "The request exceeds a rate limit.", "Wait for the seconds in `Retry-After`."),
    "too_many_attempts": Code(429, "There were too many failed attempts.", "Wait for the seconds in `Retry-After`."),
    "rate_limited": Code(429, "The request exceeds a rate limit.", "Wait for the seconds in `Retry-After`."),
    "too_many_at_once": Code(
        429, "Too many requests from this address or person are in progress.", "Wait for their responses."
    ),
    "too_many_streams": Code(
        429, "You have reached the maximum number of live streams.", "Close another stream first."
    ),
    "too_many_from_address": Code(
        429, "This address has too many connections, and all of them are in use.", "Use fewer connections."
    ),
    "head_too_large": Code(431, "The head has too many bytes or headers.", "Send fewer or shorter headers."),
    "internal_error": Code(
        500,
        "An unexpected error occurred in the server.",
        "Send the `request_id` to the operator, who can find it in the log.",
    ),
    "unavailable": Code(
        503,
        "The server cannot handle the request at the moment; nothing was stored.",
        "Send the same request again after `Retry-After`.",
    ),
    "sign_in_busy": Code(503, "Too many people are signing in at the moment.", "Try again after `Retry-After`."),
    "intake_full": Code(
        503,
        "Too many messages wait to be stored; this one was not stored.",
        "Send it again with the same idempotency key.",
    ),
    "batches_full": Code(
        503, "The server is receiving too many request bodies.", "Send it again with the same idempotency keys."
    ),
    "not_stored": Code(503, "The message could not be stored.", "Send it again with the same idempotency key."),
    "writer_full": Code(
        503, "Too many changes wait to be stored; this one was not stored.", "Send it again after `Retry-After`."
    ),
    "database_busy": Code(
        503, "Too many requests wait for the database.", "Send the same request again after `Retry-After`."
    ),
    "storage_full": Code(
        503, "The server's disk is full; nothing was stored.", "Notify the operator, and try again later."
    ),
    "storage_unavailable": Code(
        503, "The database does not answer.", "Send the same request again after `Retry-After`."
    ),
    "too_many_connections": Code(
        503, "The server has too many connections, and all of them are in use.", "Connect again after `Retry-After`."
    ),
    "upstream_unavailable": Code(
        503,
        "The server behind the gateway does not answer.",
        "Send it again after `Retry-After`, with the same idempotency key.",
    ),
    "stream_behind": Code(
        503,
        "New events arrived faster than the stream could read the missed ones.",
        "Connect again with the same cursor.",
    ),
    "presence_full": Code(
        503, "The server has too many subscriptions to presence.", "Subscribe to fewer people, after `Retry-After`."
    ),
    "stopping": Code(503, "The server is stopping.", "Connect again after `Retry-After`."),
    "workspace_not_found": Code(
        404, "There is no such workspace.", "List them with `fechatter workspaces list`.", public=False
    ),
    "user_not_found": Code(
        404, "There is no such person in the workspace.", "List people with `fechatter users list`.", public=False
    ),
    "session_not_found": Code(
        404, "This person has no such session.", "List them with `fechatter sessions list`.", public=False
    ),
    "name_differs": Code(403, "The typed name is not the name of the workspace.", "Type it exactly.", public=False),
}

FIELDS: dict[str, str] = {
    "missing": "The value is required.",
    "unknown_field": "There is no such field.",
    "unknown_parameter": "There is no such parameter.",
    "duplicate_field": "The field occurs twice.",
    "duplicate_parameter": "The parameter occurs twice.",
    "invalid_type": "The value has another type, such as text for a number.",
    "invalid_value": "The value is not one of the allowed values.",
    "out_of_range": "The number is too small or too large.",
    "too_long": "The text has more characters than allowed.",
    "too_short": "The text has fewer characters than required.",
    "too_many": "The list has more entries than allowed.",
    "too_many_marks": "A character has too many combining marks.",
    "too_few": "The list has fewer entries than required.",
    "empty": "The value is empty.",
    "blank": "The text has no visible character.",
    "control_character": "The text contains a control character that is not allowed here.",
    "invalid_character": "The text contains half of a surrogate pair.",
    "invalid_cursor": "The value is not a cursor of this server.",
    "invalid_email": "The value is not a valid e-mail address.",
    "invalid_emoji": "The value is not exactly one emoji or other visible character.",
    "invalid_handle": "A handle consists of letters, digits and `. _ -`, and starts with a letter or digit.",
    "invalid_key": "An idempotency key has 1 to 64 characters, none of them a control character.",
    "invalid_language": "The value is not a language tag, such as `en` or `pt-BR`.",
    "invalid_name": "The name of a workspace must contain a letter or a digit.",
    "invalid_time": "The value is not a time in RFC 3339 with an offset, such as `2026-01-02T03:04:05Z`.",
    "invalid_timezone": "The value is not a name in the time zone database, such as `Europe/Zurich`.",
    "key_mismatch": "The key in the body differs from the `Idempotency-Key` header.",
    "conflicting_parameters": "Only one of these parameters is allowed.",
    "not_together": "The field cannot be combined with another field.",
    "not_in_future": "The time must be in the future.",
    "not_storable": "The database cannot store this value.",
    "not_allowed": "A chat of this kind does not have this field.",
    "oneself": "You named yourself, but another person is required.",
    "unknown_channel": "There is no such public channel, or it is archived.",
    "unknown_user": "There is no such person, or you cannot see the person.",
    "mismatch": "Both values must be equal.",
}
