/** Generated from the server's contract by `scripts/web.sh types`. Do not edit. */

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The process responds. */
        Alive: {
            /** @enum {unknown} */
            status: "ok";
        };
        /** @description A public channel, as shown to people who can join it. */
        Channel: {
            /** @example 21 */
            id: number;
            chat_type: components["schemas"]["ChatType"];
            /** @example news */
            name: string;
            /** @example What is new */
            description: string;
            /** @example 3 */
            member_count: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            created_at: string;
            joined: boolean;
        };
        /** @description A chat as one member sees it. `members` are the eight members who joined first. */
        Chat: {
            /** @example 21 */
            id: number;
            chat_type: components["schemas"]["ChatType"];
            /** @example news */
            name: string | null;
            /** @example What is new */
            description: string;
            /** @example 7 */
            owner_id: number;
            /** @example 3 */
            member_count: number;
            members: components["schemas"]["UserSummary"][];
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            updated_at: string;
            archived_at: string | null;
            /**
             * @description The number of its newest message; 0 if there is none.
             * @example 51
             */
            last_number: number;
            last_message: components["schemas"]["Message"] | null;
            /**
             * @description The read mark: all messages up to this number count as read; 0 at first.
             * @example 50
             */
            last_read_number: number;
            /**
             * @description The read mark's revision: 0 at first; each marking as unread increases it by one.
             * @example 0
             */
            read_revision: number;
            /**
             * @description `last_number` - `last_read_number` - the number of deleted messages in between.
             * @example 1
             */
            unread_count: number;
            /** @description Whether this person starred the chat; nobody else sees it. */
            starred: boolean;
            /** @description Whether this person muted the chat; nobody else sees it. */
            muted: boolean;
        };
        /** @description The fields of a chat that people edit. */
        ChatChange: {
            /** @example 21 */
            id: number;
            chat_type: components["schemas"]["ChatType"];
            /** @example news */
            name: string | null;
            /** @example What is new */
            description: string;
            /** @example 7 */
            owner_id: number;
            archived_at: string | null;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            updated_at: string;
        };
        /** @description The changed chat. */
        ChatData: {
            chat: components["schemas"]["ChatChange"];
        };
        /** @description A chat was deleted for everybody. */
        ChatDeleted: {
            /** @enum {unknown} */
            type: "chat.deleted";
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            seq: number;
            /** @example 1 */
            workspace_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            at: string;
            /** @example 21 */
            chat_id: number;
            data: components["schemas"]["ChatDeletedData"];
        };
        /** @description The deleted chat. */
        ChatDeletedData: {
            chat: components["schemas"]["ChatName"];
        };
        /** @description The id of a chat. */
        ChatName: {
            /** @example 21 */
            id: number;
        };
        /** @description One member's preferences for a chat. Only that person sees them. */
        ChatPreferences: {
            /** @example 21 */
            chat_id: number;
            starred: boolean;
            /** @description A muted chat does not notify and does not count in badges. */
            muted: boolean;
        };
        /** @description The read marks of the other members who show them. */
        ChatReceipts: {
            items: components["schemas"]["Receipt"][];
        };
        /**
         * @description The type of a chat.
         * @enum {unknown}
         */
        ChatType: "group" | "private_channel" | "public_channel" | "single";
        /** @description The changes; fields that are left out stay unchanged. `name: null` removes a group's name. */
        ChatUpdate: {
            /** @example news */
            name?: string | null;
            /** @example What is new */
            description?: string;
            /** @description An archived chat can be read, but not changed. */
            archived?: boolean;
        };
        /** @description A chat was renamed, described, archived or unarchived. */
        ChatUpdated: {
            /** @enum {unknown} */
            type: "chat.updated";
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            seq: number;
            /** @example 1 */
            workspace_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            at: string;
            /** @example 21 */
            chat_id: number;
            data: components["schemas"]["ChatData"];
        };
        /**
         * @description The last frame.
         *
         *         The `reason` is `slow` if the client read too slowly, and `revoked` if its access ended. It is `shutdown` if the
         *         server stops, and `unavailable` if the server cannot continue the stream now.
         */
        Closing: {
            /** @enum {unknown} */
            reason: "revoked" | "shutdown" | "slow" | "unavailable";
        };
        /** @description The request conflicts with something that exists. `workspaces` is present only with `workspace_required`. */
        ConflictProblem: {
            /**
             * Format: uri
             * @example urn:fechatter:problem:not_found
             */
            type: string;
            /** @example Not found */
            title: string;
            /** @example 404 */
            status: number;
            /** @example not_found */
            code: string;
            /**
             * @description A sentence for people.
             * @example Not found
             */
            detail: string;
            /**
             * @description The same as `X-Request-Id`.
             * @example 9e3779b97f4a7c15
             */
            request_id: string;
            workspaces?: components["schemas"]["WorkspaceChoice"][];
        };
        /** @description A message's new content. */
        EditedMessage: {
            /**
             * @description 1 to 4,000 Unicode scalar values, stored unchanged. White space alone is refused, and so are control characters except tab, newline and carriage return.
             * @example Good morning
             */
            content: string;
        };
        /** @description An act. An act by a request has `actor_id` and `address`; an act by a command has `system_user` instead. */
        Entry: {
            /** @example 1300 */
            id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            created_at: string;
            /** @example user.role_changed */
            action: string;
            actor_id: number | null;
            /**
             * @description `api` or `command_line`.
             * @example api
             */
            source: string;
            /** @example 192.0.2.7 */
            address: string | null;
            system_user: string | null;
            subject: components["schemas"]["Subject"];
            /**
             * @example {
             *       "role": "member"
             *     }
             */
            before: Record<string, never> | null;
            /**
             * @example {
             *       "role": "admin"
             *     }
             */
            after: Record<string, never> | null;
        };
        /** @description A part of the log. Continue with `cursor`, immediately if there is `more`. */
        EventPage: {
            events: components["schemas"]["Event"][];
            /**
             * @description A position in the workspace's log: opaque text. The part after the last dot is an event's number.
             * @example 5f2c81d0.1204
             */
            cursor: string;
            more: boolean;
        };
        /** @description One invalid value: its place, a stable code of `codes.FIELDS`, and a sentence for people. */
        FieldError: {
            /**
             * @description JSON Pointer into the body, `?name` of a parameter, or a header's name.
             * @example /name
             */
            pointer: string;
            /**
             * @example too_long
             * @enum {string}
             */
            code: "blank" | "conflicting_parameters" | "control_character" | "duplicate_field" | "duplicate_parameter" | "empty" | "invalid_character" | "invalid_cursor" | "invalid_email" | "invalid_emoji" | "invalid_handle" | "invalid_key" | "invalid_language" | "invalid_name" | "invalid_time" | "invalid_timezone" | "invalid_type" | "invalid_value" | "key_mismatch" | "mismatch" | "missing" | "not_allowed" | "not_in_future" | "not_storable" | "not_together" | "oneself" | "out_of_range" | "too_few" | "too_long" | "too_many" | "too_many_marks" | "too_short" | "unknown_channel" | "unknown_field" | "unknown_parameter" | "unknown_user";
            /** @example At most 128 characters. */
            detail: string;
        };
        /** @description `down`: the server cannot work. `degraded`: it works, but slower or only in part. */
        Health: {
            /** @enum {unknown} */
            status: "degraded" | "down" | "ok";
            parts: {
                [key: string]: components["schemas"]["PartHealth"];
            };
        };
        /** @description The first frame. `epoch` and `head` together are the newest position. */
        Hello: {
            /** @example 5f2c81d0 */
            epoch: string;
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            head: number;
            /**
             * @description A silence of three times this long means a broken connection.
             * @example 20
             */
            heartbeat_seconds: number;
            /** @example 90 */
            session_id: number;
        };
        /** @description Some values are invalid. */
        InvalidProblem: {
            /**
             * Format: uri
             * @example urn:fechatter:problem:not_found
             */
            type: string;
            /** @example Not found */
            title: string;
            /** @example 404 */
            status: number;
            /** @example not_found */
            code: string;
            /**
             * @description A sentence for people.
             * @example Not found
             */
            detail: string;
            /**
             * @description The same as `X-Request-Id`.
             * @example 9e3779b97f4a7c15
             */
            request_id: string;
            errors: components["schemas"]["FieldError"][];
        };
        /** @description An invitation's token. */
        InvitationToken: {
            /** @example Vq8f… */
            token: string;
        };
        /** @description An invitation, for people who may invite. `token` and `url` are present only when it is created. */
        Invitation: {
            /** @example 33 */
            id: number;
            email: string | null;
            role: components["schemas"]["Role"];
            /** @example 7 */
            created_by: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            expires_at: string;
            max_uses: number;
            /** @example 0 */
            uses: number;
            /** @example Vq8f… */
            token?: string;
            /** @example https://chat.example.org/join#token=Vq8f… */
            url?: string;
        };
        /** @description One page of a list, ordered by id. */
        ChannelItems: {
            items: components["schemas"]["Channel"][];
            /**
             * @description The `cursor` of the next page; null on the last page.
             * @example YWZ0ZXI6Mg
             */
            next: string | null;
        };
        /** @description One page of a list, ordered by id. */
        ChatItems: {
            items: components["schemas"]["Chat"][];
            /**
             * @description The `cursor` of the next page; null on the last page.
             * @example YWZ0ZXI6Mg
             */
            next: string | null;
        };
        /** @description One page of a list, ordered by id. */
        EntryItems: {
            items: components["schemas"]["Entry"][];
            /**
             * @description The `cursor` of the next page; null on the last page.
             * @example YWZ0ZXI6Mg
             */
            next: string | null;
        };
        /** @description One page of a list, ordered by id. */
        InvitationItems: {
            items: components["schemas"]["Invitation"][];
            /**
             * @description The `cursor` of the next page; null on the last page.
             * @example YWZ0ZXI6Mg
             */
            next: string | null;
        };
        /** @description One page of a list, ordered by id. */
        MemberItems: {
            items: components["schemas"]["Member"][];
            /**
             * @description The `cursor` of the next page; null on the last page.
             * @example YWZ0ZXI6Mg
             */
            next: string | null;
        };
        /** @description One page of a list, ordered by id. */
        SessionItems: {
            items: components["schemas"]["Session"][];
            /**
             * @description The `cursor` of the next page; null on the last page.
             * @example YWZ0ZXI6Mg
             */
            next: string | null;
        };
        /** @description One page of a list, ordered by id. */
        UserItems: {
            items: components["schemas"]["User"][];
            /**
             * @description The `cursor` of the next page; null on the last page.
             * @example YWZ0ZXI6Mg
             */
            next: string | null;
        };
        /** @description One page of a list, ordered by id. */
        VersionItems: {
            items: components["schemas"]["Version"][];
            /**
             * @description The `cursor` of the next page; null on the last page.
             * @example YWZ0ZXI6Mg
             */
            next: string | null;
        };
        /** @description The fields of a chat that change with its members; for the new member alone, all fields of a Chat. */
        JoinedChat: {
            /** @example 21 */
            id: number;
            /** @example 3 */
            member_count: number;
            members: components["schemas"]["UserSummary"][];
            /** @example 7 */
            owner_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            updated_at: string;
            chat_type?: components["schemas"]["ChatType"];
            /** @example news */
            name?: string | null;
            /** @example What is new */
            description?: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            created_at?: string;
            archived_at?: string | null;
            /**
             * @description The number of its newest message; 0 if there is none.
             * @example 51
             */
            last_number?: number;
            last_message?: components["schemas"]["Message"] | null;
            /**
             * @description The read mark: all messages up to this number count as read; 0 at first.
             * @example 50
             */
            last_read_number?: number;
            /**
             * @description The read mark's revision: 0 at first; each marking as unread increases it by one.
             * @example 0
             */
            read_revision?: number;
            /**
             * @description `last_number` - `last_read_number` - the number of deleted messages in between.
             * @example 1
             */
            unread_count?: number;
            /** @description Whether this person starred the chat; nobody else sees it. */
            starred?: boolean;
            /** @description Whether this person muted the chat; nobody else sees it. */
            muted?: boolean;
        };
        /** @description The limits for values in requests. */
        Limits: {
            message_characters: number;
            idempotency_key_characters: number;
            body_bytes: number;
            batch_messages: number;
            batch_bytes: number;
            page_items: number;
            chat_name_characters: number;
            chat_description_characters: number;
            chat_members_per_request: number;
            password_characters_least: number;
            password_characters_most: number;
        };
        /** @description A member of a chat. */
        Member: {
            /** @example 7 */
            user_id: number;
            /**
             * @description `owner` or `member` of the chat.
             * @example member
             */
            role: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            joined_at: string;
        };
        /** @description Somebody joined a chat. For the new member, the chat is new. */
        MemberJoined: {
            /** @enum {unknown} */
            type: "member.joined";
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            seq: number;
            /** @example 1 */
            workspace_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            at: string;
            /** @example 21 */
            chat_id: number;
            data: components["schemas"]["MemberJoinedData"];
        };
        /** @description The new member. When you join a chat yourself, replace everything that you stored about it. */
        MemberJoinedData: {
            member: components["schemas"]["MemberOf"];
            chat: components["schemas"]["JoinedChat"];
        };
        /** @description Somebody left a chat. That person receives no later events of the chat. */
        MemberLeft: {
            /** @enum {unknown} */
            type: "member.left";
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            seq: number;
            /** @example 1 */
            workspace_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            at: string;
            /** @example 21 */
            chat_id: number;
            data: components["schemas"]["MemberLeftData"];
        };
        /** @description The person who left or was removed. */
        MemberLeftData: {
            member: components["schemas"]["MemberName"];
            chat: components["schemas"]["MembersChange"];
        };
        /** @description The id of a member. */
        MemberName: {
            /** @example 7 */
            user_id: number;
        };
        /** @description A member of a chat, with a summary of the person. */
        MemberOf: {
            /** @example 7 */
            user_id: number;
            /**
             * @description `owner` or `member` of the chat.
             * @example member
             */
            role: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            joined_at: string;
            user: components["schemas"]["UserSummary"];
        };
        /** @description A member's new role. */
        MemberRole: {
            /** @example 7 */
            user_id: number;
            /** @enum {unknown} */
            role: "member" | "owner";
        };
        /** @description A chat has a new owner. */
        MemberRoleChanged: {
            /** @enum {unknown} */
            type: "member.role_changed";
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            seq: number;
            /** @example 1 */
            workspace_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            at: string;
            /** @example 21 */
            chat_id: number;
            data: components["schemas"]["MemberRoleData"];
        };
        /** @description The member whose role in the chat changed. */
        MemberRoleData: {
            member: components["schemas"]["MemberRole"];
            chat: components["schemas"]["MembersChange"];
        };
        /** @description The fields of a chat that change with its members. */
        MembersChange: {
            /** @example 21 */
            id: number;
            /** @example 3 */
            member_count: number;
            members: components["schemas"]["UserSummary"][];
            /** @example 7 */
            owner_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            updated_at: string;
        };
        /**
         * @description A message. A deleted message keeps its place, without content and extras. Only its sender sees
         *         `idempotency_key`.
         */
        Message: {
            /** @example 4711 */
            id: number;
            /** @example 21 */
            chat_id: number;
            /**
             * @description 1, 2, 3 … in its chat, without gaps.
             * @example 51
             */
            number: number;
            /** @example 7 */
            sender_id: number;
            /** @example Good morning */
            content: string;
            /**
             * @description 1 at first; each edit increases it by one.
             * @example 1
             */
            revision: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            created_at: string;
            edited_at: string | null;
            deleted_at: string | null;
            /** @example 0199a1c4-7d2e-7cc3-98c4-dc0c0c07398f */
            idempotency_key?: string;
        };
        /** @description A message was sent. */
        MessageCreated: {
            /** @enum {unknown} */
            type: "message.created";
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            seq: number;
            /** @example 1 */
            workspace_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            at: string;
            /** @example 21 */
            chat_id: number;
            data: components["schemas"]["MessageData"];
        };
        /** @description The message as it was at the event; its content is empty if the message was deleted later. */
        MessageData: {
            message: components["schemas"]["Message"];
        };
        /** @description A message was deleted; its place remains. */
        MessageDeleted: {
            /** @enum {unknown} */
            type: "message.deleted";
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            seq: number;
            /** @example 1 */
            workspace_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            at: string;
            /** @example 21 */
            chat_id: number;
            data: components["schemas"]["MessageData"];
        };
        /** @description A message has new content. */
        MessageEdited: {
            /** @enum {unknown} */
            type: "message.edited";
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            seq: number;
            /** @example 1 */
            workspace_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            at: string;
            /** @example 21 */
            chat_id: number;
            data: components["schemas"]["MessageData"];
        };
        /** @description A page of a chat's history, newest first. */
        MessagePage: {
            items: components["schemas"]["Message"][];
            /** @example true */
            has_older: boolean;
            has_newer: boolean;
        };
        /** @description The name was accepted, but people may confuse it with another name. */
        NameWarning: {
            /**
             * @description `confusable_name`: the name looks like another public channel's.
             * @example confusable_name
             */
            code: string;
            /** @example This name looks like another channel's name: news */
            detail: string;
            /** @example 21 */
            chat_id: number;
            /** @example news */
            name: string;
        };
        /** @description A chat that was created or changed; `warnings` is present only if there are any. */
        NamedChat: {
            /** @example 21 */
            id: number;
            chat_type: components["schemas"]["ChatType"];
            /** @example news */
            name: string | null;
            /** @example What is new */
            description: string;
            /** @example 7 */
            owner_id: number;
            /** @example 3 */
            member_count: number;
            members: components["schemas"]["UserSummary"][];
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            updated_at: string;
            archived_at: string | null;
            /**
             * @description The number of its newest message; 0 if there is none.
             * @example 51
             */
            last_number: number;
            last_message: components["schemas"]["Message"] | null;
            /**
             * @description The read mark: all messages up to this number count as read; 0 at first.
             * @example 50
             */
            last_read_number: number;
            /**
             * @description The read mark's revision: 0 at first; each marking as unread increases it by one.
             * @example 0
             */
            read_revision: number;
            /**
             * @description `last_number` - `last_read_number` - the number of deleted messages in between.
             * @example 1
             */
            unread_count: number;
            /** @description Whether this person starred the chat; nobody else sees it. */
            starred: boolean;
            /** @description Whether this person muted the chat; nobody else sees it. */
            muted: boolean;
            warnings?: components["schemas"]["NameWarning"][];
        };
        /** @description The people to add or remove. */
        NamedMembers: {
            /**
             * @example [
             *       7,
             *       8
             *     ]
             */
            members: number[];
        };
        /** @description A new invitation. With `email`, only that address can use it, once. */
        NewInvitation: {
            /**
             * @description Only this address can use it.
             * @default null
             * @example grace@example.org
             */
            email: string | null;
            /** @default member */
            role: components["schemas"]["Role"];
            /** @default 604800 */
            expires_in_seconds: number;
            /** @default 1 */
            max_uses: number;
        };
        /** @description A message to send. */
        NewMessage: {
            /**
             * @description 1 to 4,000 Unicode scalar values, stored unchanged. White space alone is refused, and so are control characters except tab, newline and carriage return.
             * @example Good morning
             */
            content: string;
            /** @default null */
            idempotency_key: string | null;
        };
        /** @description Several messages for one chat, in their order. */
        NewMessages: {
            messages: components["schemas"]["NewMessage"][];
        };
        /** @description The token of a reset link, and the password to set. */
        NewPassword: {
            /** @example Rk2d… */
            token: string;
            /**
             * @description 8 to 256 characters.
             * @example mellow otter paints
             */
            password: string;
        };
        /** @description The newest message that you have read. */
        NewReadMark: {
            /**
             * @description The number of the newest message that you have read.
             * @example 51
             */
            number: number;
            /** @default null */
            revision: number | null;
        };
        /** @description The new role. Ownership can be transferred, but not given up. */
        NewRole: {
            /** @enum {unknown} */
            role: "owner";
        };
        /** @description The workspace and the role of an invitation. */
        Opening: {
            /**
             * @description The name of the workspace.
             * @example Analytical Engines
             */
            workspace: string;
            role: components["schemas"]["Role"];
            email: string | null;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            expires_at: string;
        };
        /** @description One part of the server. Only admins see other fields than `state`. */
        PartHealth: {
            /** @enum {unknown} */
            state: "degraded" | "down" | "ok";
            detail?: string;
            latency_seconds?: number;
            free_bytes?: number;
            waiting?: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            since?: string;
        };
        /** @description The current password and the new one. */
        PasswordChange: {
            /** @example mellow otter paints */
            current_password: string;
            /** @example quiet lantern over hills */
            new_password: string;
        };
        /** @description A person's presence. */
        PersonPresence: {
            /** @example 7 */
            user_id: number;
            /**
             * @description `dnd`: do not disturb.
             * @example online
             * @enum {unknown}
             */
            state: "away" | "dnd" | "offline" | "online";
        };
        /** @description The person's preferences for the chat, after the change. */
        PreferencesData: {
            preferences: components["schemas"]["ChatPreferences"];
        };
        /** @description The changes; fields that are left out stay unchanged. */
        PreferencesUpdate: {
            /** @description Show the chat among the starred chats. */
            starred?: boolean;
            /** @description No notifications and no badge for this chat. */
            muted?: boolean;
        };
        /** @description The person starred or muted a chat on one of their devices. Only that person receives the event. */
        PreferencesUpdated: {
            /** @enum {unknown} */
            type: "preferences.updated";
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            seq: number;
            /** @example 1 */
            workspace_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            at: string;
            /** @example 21 */
            chat_id: number;
            data: components["schemas"]["PreferencesData"];
        };
        /** @description A signal to a session that subscribed to presence: the people whose presence has changed. */
        PresenceChanged: {
            presences: components["schemas"]["PersonPresence"][];
        };
        /** @description The people whose presence a client shows. */
        PresenceSubscription: {
            /**
             * @example [
             *       7,
             *       8
             *     ]
             */
            user_ids: number[];
        };
        /** @description The presence of the people whom you see. */
        Presences: {
            presences: components["schemas"]["PersonPresence"][];
        };
        /** @description An error response (RFC 9457). Programs use `code`, which is stable. */
        Problem: {
            /**
             * Format: uri
             * @example urn:fechatter:problem:not_found
             */
            type: string;
            /** @example Not found */
            title: string;
            /** @example 404 */
            status: number;
            /** @example not_found */
            code: string;
            /**
             * @description A sentence for people.
             * @example Not found
             */
            detail: string;
            /**
             * @description The same as `X-Request-Id`.
             * @example 9e3779b97f4a7c15
             */
            request_id: string;
        };
        /** @description Changes to your own profile. Fields that are left out stay unchanged. */
        Profile: {
            /** @example Ada Lovelace */
            fullname?: string;
            /**
             * @description Letters, digits and `. _ -`, a letter or digit first.
             * @example ada
             */
            handle?: string;
            /**
             * @description A name of the time zone database.
             * @example Europe/Zurich
             */
            timezone?: string | null;
            /**
             * @description A language tag.
             * @example en
             */
            language?: string | null;
            /**
             * @description Show others whether you are online.
             * @example true
             */
            shows_presence?: boolean;
            /**
             * @description Show others what you have read.
             * @example true
             */
            sends_receipts?: boolean;
        };
        /** @description The current read mark. */
        ReadData: {
            read: components["schemas"]["ReadMark"];
        };
        /**
         * @description A person's read mark in a chat, after the event `seq`. The higher revision wins, then the higher number.
         *
         *         From event `seq` on, a client keeps `deleted_above` up to date with the numbers of `message.deleted`:
         *         unread = the chat's last number - `last_read_number` - `deleted_above`.
         */
        ReadMark: {
            /** @example 21 */
            chat_id: number;
            /**
             * @description The read mark: all messages up to this number count as read; 0 at first.
             * @example 50
             */
            last_read_number: number;
            /**
             * @description The read mark's revision: 0 at first; each marking as unread increases it by one.
             * @example 0
             */
            revision: number;
            /**
             * @description The number of deleted messages above `last_read_number`.
             * @example 0
             */
            deleted_above: number;
            /**
             * @description The newest event that is included in these numbers.
             * @example 1204
             */
            seq: number;
        };
        /** @description A signal to a person's own devices: the read mark moved. It has no number and can be lost, repeated or late. */
        ReadMoved: {
            /** @enum {unknown} */
            type: "read.moved";
            /** @example 1 */
            workspace_id: number;
            /** @example 21 */
            chat_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            at: string;
            data: components["schemas"]["ReadData"];
        };
        /** @description How far another member has read. */
        Receipt: {
            /** @example 7 */
            user_id: number;
            /**
             * @description The read mark: all messages up to this number count as read; 0 at first.
             * @example 50
             */
            last_read_number: number;
        };
        /**
         * @description A signal to a chat of at most 100 members: another member has read up to `last_read_number`; the highest number
         *         wins. There is none for a person's own messages, which show by themselves how far the person has read.
         */
        ReceiptMoved: {
            /** @example 21 */
            chat_id: number;
            /** @example 7 */
            user_id: number;
            /**
             * @description The read mark: all messages up to this number count as read; 0 at first.
             * @example 50
             */
            last_read_number: number;
        };
        /** @description Send `refresh_token`. Our own web client sends the slug of the workspace instead, and the token in its cookie. */
        Refresh: {
            /**
             * @default null
             * @example 90.3.fT1c…
             */
            refresh_token: string | null;
            /**
             * @description A slug; only from our own web client, with its cookie.
             * @default null
             */
            workspace: string | null;
        };
        /**
         * @description Events cannot continue from the cursor. Load `/api/sync`; the stream continues live from this frame's `id:`.
         *
         *         `reason` is `epoch` if the log does not contain the position, because it went back in time or belongs to another
         *         server.
         */
        Reset: {
            /** @enum {unknown} */
            reason: "ahead" | "epoch" | "pruned" | "too_many";
            /** @example 5f2c81d0 */
            epoch: string;
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            head: number;
        };
        /** @description A link with which one person can set a new password once. It replaces the person's earlier link. */
        ResetLink: {
            /** @example 91 */
            id: number;
            /** @example Rk2d… */
            token: string;
            /** @example https://chat.example.org/reset#token=Rk2d… */
            url: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            expires_at: string;
        };
        /** @description The person and workspace of a reset link. */
        ResetOpening: {
            workspace: components["schemas"]["WorkspaceName"];
            user: components["schemas"]["ResetPerson"];
            /** @example ada@example.org */
            email: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            expires_at: string;
        };
        /** @description The person whose password the link sets. */
        ResetPerson: {
            /** @example Ada Lovelace */
            fullname: string;
            /**
             * @description One word by which a person is mentioned; unique in the workspace.
             * @example ada
             */
            handle: string;
        };
        /** @description Events cannot continue from this position. */
        ResetProblem: {
            /**
             * Format: uri
             * @example urn:fechatter:problem:not_found
             */
            type: string;
            /** @example Not found */
            title: string;
            /** @example 404 */
            status: number;
            /** @example not_found */
            code: string;
            /**
             * @description A sentence for people.
             * @example Not found
             */
            detail: string;
            /**
             * @description The same as `X-Request-Id`.
             * @example 9e3779b97f4a7c15
             */
            request_id: string;
            /** @enum {unknown} */
            reason: "ahead" | "epoch" | "pruned" | "too_many";
            /** @example 5f2c81d0 */
            epoch: string;
            /**
             * @description The newest event's number.
             * @example 1204
             */
            head: number;
        };
        /** @description The token of a reset link. */
        ResetToken: {
            /** @example Rk2d… */
            token: string;
        };
        /**
         * @description The result of one message: 201 or, for a repeat, 200 with the `message`; otherwise the `problem`. A
         *         problem does not affect the other messages.
         */
        Result: {
            /** @example 201 */
            status: number;
            message?: components["schemas"]["Message"];
            problem?: components["schemas"]["Problem"];
        };
        /** @description The result of each message, in the order of the request. */
        Results: {
            results: components["schemas"]["Result"][];
        };
        /** @description All missed events have been sent. `reads` are the person's read marks in all their chats, and replace yours. */
        Resumed: {
            /**
             * @description A position in the workspace's log: opaque text. The part after the last dot is an event's number.
             * @example 5f2c81d0.1204
             */
            from: string;
            /**
             * @description A position in the workspace's log: opaque text. The part after the last dot is an event's number.
             * @example 5f2c81d0.1204
             */
            to: string;
            reads: components["schemas"]["ReadMark"][];
        };
        /**
         * @description A person's role in the workspace.
         * @enum {unknown}
         */
        Role: "admin" | "guest" | "member" | "owner";
        /** @description This server. As long as `api_level` stays the same, changes to the API only add to it. */
        Server: {
            /** @example 0.1.0 */
            version: string;
            /** @example 1 */
            api_level: number;
            /**
             * @example [
             *       "sse"
             *     ]
             */
            features: string[];
            limits: components["schemas"]["Limits"];
            /**
             * @description Whether the server has a workspace.
             * @example true
             */
            set_up: boolean;
            /**
             * @description Who may create a new workspace.
             * @enum {unknown}
             */
            signup: "invitation" | "open";
            /** @example Fechatter */
            name: string;
        };
        /** @description A session. `refresh_token` is absent if it is sent as a cookie. */
        SignedIn: {
            /** @example eyJhbGciOi… */
            access_token: string;
            /** @example Bearer */
            token_type: string;
            /**
             * @description Seconds.
             * @example 900
             */
            expires_in: number;
            /** @example 90.3.fT1c… */
            refresh_token?: string;
            user: components["schemas"]["User"];
            workspace: components["schemas"]["Workspace"];
        };
        /** @description The state of this session. */
        SessionPresence: {
            /**
             * @description `dnd`: do not disturb.
             * @example away
             * @enum {unknown}
             */
            state: "away" | "dnd" | "online";
        };
        /** @description A session, as its own person sees it. `current` is true for the session of this request. */
        Session: {
            /** @example 90 */
            id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            created_at: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            last_used_at: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            expires_at: string;
            /**
             * @description The address of the client that signed in.
             * @example 192.0.2.7
             */
            address: string;
            /** @example Mozilla/5.0 */
            user_agent: string;
            current: boolean;
        };
        /** @description `workspace` is required only if the password is right for several accounts of the address. */
        SignIn: {
            /** @example ada@example.org */
            email: string;
            /** @example mellow otter paints */
            password: string;
            /**
             * @description A slug.
             * @default null
             * @example analytical-engines
             */
            workspace: string | null;
        };
        /** @description A new person, in a new workspace or in the workspace of an invitation. */
        SignUp: {
            /** @example ada@example.org */
            email: string;
            /**
             * @description 8 to 256 characters.
             * @example mellow otter paints
             */
            password: string;
            /** @example Ada Lovelace */
            fullname: string;
            /**
             * @description The name of a new workspace.
             * @default null
             * @example Analytical Engines
             */
            workspace: string | null;
            /**
             * @description The token that the server prints at its first start, for the first workspace.
             * @default null
             */
            setup_token: string | null;
            /**
             * @description An invitation's token, instead of `workspace`.
             * @default null
             */
            invitation: string | null;
        };
        /** @description Changes to a person by an admin. Fields that are left out stay unchanged. */
        Standing: {
            /** @example member */
            role?: components["schemas"]["Role"];
            disabled?: boolean;
        };
        /** @description Everything that a client shows at first, as of `cursor`. */
        State: {
            /**
             * @description A position in the workspace's log: opaque text. The part after the last dot is an event's number.
             * @example 5f2c81d0.1204
             */
            cursor: string;
            me: components["schemas"]["User"];
            workspace: components["schemas"]["Workspace"];
            chats: components["schemas"]["Chat"][];
        };
        /** @description What a person does at the moment. Do not show it after `until`. */
        Status: {
            /**
             * @description One emoji; may be empty if there is a text.
             * @example 🌴
             */
            emoji: string;
            /**
             * @description May be empty if there is an emoji.
             * @example Back on Monday
             */
            text: string;
            /** @description When it ends; null: not by itself. */
            until: string | null;
        };
        /** @description A ticket that opens one WebSocket. `expires_in` is in seconds. */
        StreamTicket: {
            /** @example Zk3mXo… */
            ticket: string;
            /** @example 30 */
            expires_in: number;
        };
        /** @description The object of an act. */
        Subject: {
            /** @example user */
            type: string;
            /** @example 8 */
            id: number;
        };
        /** @description The body is too large. */
        TooLargeProblem: {
            /**
             * Format: uri
             * @example urn:fechatter:problem:not_found
             */
            type: string;
            /** @example Not found */
            title: string;
            /** @example 404 */
            status: number;
            /** @example not_found */
            code: string;
            /**
             * @description A sentence for people.
             * @example Not found
             */
            detail: string;
            /**
             * @description The same as `X-Request-Id`.
             * @example 9e3779b97f4a7c15
             */
            request_id: string;
            /** @example 65536 */
            limit_bytes: number;
        };
        /**
         * @description A signal to the chat's other members: somebody is writing a message. Show it for `expires_in` seconds, or until
         *         that person's message arrives.
         */
        TypingStarted: {
            /** @example 21 */
            chat_id: number;
            /**
             * @description The person; empty if more than 20 people type.
             * @example [
             *       7
             *     ]
             */
            user_ids: number[];
            /**
             * @description The number of people who type in the chat.
             * @example 1
             */
            count: number;
            /**
             * @description Seconds.
             * @example 6
             */
            expires_in: number;
        };
        /** @description The start of a person's unread messages. */
        Unread: {
            last_read_number: number;
            read_revision: number;
            unread_count: number;
            /**
             * @description The first message beyond `last_read_number` that is not deleted.
             * @example 52
             */
            first_unread_number: number | null;
        };
        /** @description The message to mark as unread, with all later messages. */
        UnreadFrom: {
            /**
             * @description The number of the first message to mark as unread.
             * @example 51
             */
            number: number;
        };
        /**
         * @description A person.
         *
         *         `email` is visible to the person, admins and owners. `timezone`, `language`, `shows_presence` and `sends_receipts`
         *         are visible only to the person.
         */
        User: {
            /** @example 7 */
            id: number;
            /**
             * @description One word by which a person is mentioned; unique in the workspace.
             * @example ada
             */
            handle: string;
            /** @example Ada Lovelace */
            fullname: string;
            avatar_url: string | null;
            /**
             * @description `person` or `bot`.
             * @example person
             */
            kind: string;
            role: components["schemas"]["Role"];
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            created_at: string;
            disabled: boolean;
            status: components["schemas"]["Status"] | null;
            /** @example ada@example.org */
            email?: string;
            /** @example Europe/Zurich */
            timezone?: string | null;
            /** @example en */
            language?: string | null;
            /**
             * @description Whether others see if the person is online.
             * @example true
             */
            shows_presence?: boolean;
            /**
             * @description Whether others see what the person has read.
             * @example true
             */
            sends_receipts?: boolean;
        };
        /** @description The person. */
        UserData: {
            user: components["schemas"]["User"];
        };
        /** @description Somebody was disabled. */
        UserDisabled: {
            /** @enum {unknown} */
            type: "user.disabled";
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            seq: number;
            /** @example 1 */
            workspace_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            at: string;
            chat_id: null;
            data: components["schemas"]["UserData"];
        };
        /** @description Somebody joined the workspace. */
        UserJoined: {
            /** @enum {unknown} */
            type: "user.joined";
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            seq: number;
            /** @example 1 */
            workspace_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            at: string;
            chat_id: null;
            data: components["schemas"]["UserData"];
        };
        /** @description A person in lists. */
        UserSummary: {
            /** @example 7 */
            id: number;
            /**
             * @description One word by which a person is mentioned; unique in the workspace.
             * @example ada
             */
            handle: string;
            /** @example Ada Lovelace */
            fullname: string;
            avatar_url: string | null;
        };
        /** @description Somebody's profile or role changed. */
        UserUpdated: {
            /** @enum {unknown} */
            type: "user.updated";
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            seq: number;
            /** @example 1 */
            workspace_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            at: string;
            chat_id: null;
            data: components["schemas"]["UserData"];
        };
        /** @description The content of a message before an edit. `edited_at` is the time when it was written; None for the first. */
        Version: {
            /** @example 1 */
            revision: number;
            /** @example Good mornign */
            content: string;
            edited_at: string | null;
        };
        /** @description A request for a new chat. The creator is always a member. */
        WantedChat: {
            /** @example private_channel */
            chat_type: components["schemas"]["ChatType"];
            /**
             * @description Up to 128 characters.
             * @default null
             * @example news
             */
            name: string | null;
            /**
             * @description Up to 1000 characters.
             * @default
             */
            description: string;
            /**
             * @description The ids of the other members.
             * @default []
             * @example [
             *       7,
             *       8
             *     ]
             */
            members: number[];
            /**
             * @description A key of your choice. A repeat with the same key returns the same chat.
             * @default null
             */
            idempotency_key: string | null;
        };
        /** @description A status. It has an emoji, a text or both. */
        WantedStatus: {
            /**
             * @description One emoji or other character, or empty.
             * @default
             * @example 🌴
             */
            emoji: string;
            /**
             * @description At most 80 characters.
             * @default
             * @example Back on Monday
             */
            text: string;
            /**
             * @description When it ends, in the future; null: not by itself.
             * @default null
             */
            until: string | null;
        };
        /** @description A tenant with its own people, chats and event log. */
        Workspace: {
            /** @example 1 */
            id: number;
            /**
             * @description Its name as one word; it never changes.
             * @example analytical-engines
             */
            slug: string;
            /** @example Analytical Engines */
            name: string;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            created_at: string;
            /**
             * @description The channel that new people join.
             * @example 21
             */
            default_chat_id: number | null;
        };
        /** @description The changes; fields that are left out stay unchanged. */
        WorkspaceChange: {
            /** @example Analytical Engines */
            name?: string;
            /** @description The public channel that new people join; null for none. */
            default_chat_id?: number | null;
        };
        /** @description One of several workspaces to choose from. */
        WorkspaceChoice: {
            /** @example analytical-engines */
            slug: string;
            /** @example Analytical Engines */
            name: string;
        };
        /** @description The workspace. */
        WorkspaceData: {
            workspace: components["schemas"]["Workspace"];
        };
        /** @description A workspace in a list to choose from. */
        WorkspaceName: {
            slug: string;
            name: string;
        };
        /** @description The workspace was changed. */
        WorkspaceUpdated: {
            /** @enum {unknown} */
            type: "workspace.updated";
            /**
             * @description The event's number, without gaps in its workspace.
             * @example 1204
             */
            seq: number;
            /** @example 1 */
            workspace_id: number;
            /**
             * Format: date-time
             * @description RFC 3339, UTC, milliseconds.
             * @example 2026-01-02T03:04:05.678Z
             */
            at: string;
            chat_id: null;
            data: components["schemas"]["WorkspaceData"];
        };
        /** @description Everything that changes what a client shows. */
        Event: components["schemas"]["MessageCreated"] | components["schemas"]["MessageEdited"] | components["schemas"]["MessageDeleted"] | components["schemas"]["ChatUpdated"] | components["schemas"]["ChatDeleted"] | components["schemas"]["MemberJoined"] | components["schemas"]["MemberLeft"] | components["schemas"]["MemberRoleChanged"] | components["schemas"]["UserJoined"] | components["schemas"]["UserUpdated"] | components["schemas"]["UserDisabled"] | components["schemas"]["WorkspaceUpdated"] | components["schemas"]["PreferencesUpdated"];
        /** @description The JSON in the `data:` of each frame of the live stream, by the name in its `event:`. */
        Frames: {
            "message.created": components["schemas"]["MessageCreated"];
            "message.edited": components["schemas"]["MessageEdited"];
            "message.deleted": components["schemas"]["MessageDeleted"];
            "chat.updated": components["schemas"]["ChatUpdated"];
            "chat.deleted": components["schemas"]["ChatDeleted"];
            "member.joined": components["schemas"]["MemberJoined"];
            "member.left": components["schemas"]["MemberLeft"];
            "member.role_changed": components["schemas"]["MemberRoleChanged"];
            "user.joined": components["schemas"]["UserJoined"];
            "user.updated": components["schemas"]["UserUpdated"];
            "user.disabled": components["schemas"]["UserDisabled"];
            "workspace.updated": components["schemas"]["WorkspaceUpdated"];
            "preferences.updated": components["schemas"]["PreferencesUpdated"];
            hello: components["schemas"]["Hello"];
            resumed: components["schemas"]["Resumed"];
            reset: components["schemas"]["Reset"];
            closing: components["schemas"]["Closing"];
            "read.moved": components["schemas"]["ReadMoved"];
            "presence.changed": components["schemas"]["PresenceChanged"];
            "receipt.moved": components["schemas"]["ReceiptMoved"];
            "typing.started": components["schemas"]["TypingStarted"];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
