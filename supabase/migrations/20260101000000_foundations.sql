-- Foundations: who may do what by default, ids, and the one list of refusals.
--
-- `public` holds what clients may use, `private` what only our own functions and triggers use. The API shows `public`
-- alone.

create schema private;
grant usage on schema private to authenticated, service_role;

-- Postgres lets everybody execute a new function, and hosted Supabase says so again in `public`. From here on each
-- function names its guests. Tables keep hosted's defaults, for whatever else lives in this project: ours are revoked
-- one by one.
alter default privileges for role postgres revoke execute on functions from public;
alter default privileges for role postgres in schema public
revoke execute on functions from anon, authenticated, service_role;

-- Tables
create table private.error_codes (
  code text primary key,
  sqlstate text not null,
  message text not null,
  constraint code_is_a_machine_word check (code ~ '^[a-z]+(_[a-z]+)*$'),
  -- PostgREST makes a status of each; 42501 from somebody without a token is 401.
  constraint sqlstate_is_an_http_refusal check (sqlstate ~ '^PT4[0-9]{2}$' or sqlstate = '42501')
);
alter table private.error_codes enable row level security;
-- Nobody has a right to this table either: the policy says so to the advisor that asks for one.
create policy "Nobody reads the refusals past private.refuse"
on private.error_codes for select to authenticated
using (false);

insert into private.error_codes (code, sqlstate, message)
values
  ('not_signed_in', '42501', 'Sign in first.'),
  ('anonymous_not_allowed', 'PT403', 'Sign up first: anonymous guests cannot do this.'),
  ('append_only', 'PT403', 'What was written here stays as it is.'),
  ('guest_window_over', 'PT403', 'It is too late to delete this message.'),
  ('not_a_group', 'PT403', 'This is for groups only.'),
  ('not_a_manager', 'PT403', 'Only a manager or an admin can do this.'),
  ('not_a_member', 'PT403', 'You are not a member of this chat.'),
  ('blocked', 'PT403', 'You cannot write to this person.'),
  ('not_a_room_mate', 'PT403', 'This is for people who share a chat.'),
  ('not_an_admin', 'PT403', 'Only an admin can do this.'),
  ('not_an_owner', 'PT403', 'Only an owner can do this.'),
  ('not_in_organization', 'PT403', 'This is for members of the organization.'),
  ('not_the_author', 'PT403', 'Only its author may do this.'),
  ('not_the_deleter', 'PT403', 'Only who deleted a message brings it back.'),
  ('own_message', 'PT403', 'This message is your own.'),
  ('wrong_code', 'PT403', 'There is no such stay, or the code is another one.'),
  ('attachment_not_found', 'PT404', 'There is no such file.'),
  ('key_not_found', 'PT404', 'There is no such key.'),
  ('job_not_found', 'PT404', 'There is no such job.'),
  ('message_not_found', 'PT404', 'There is no such message.'),
  ('organization_not_found', 'PT404', 'There is no such organization.'),
  ('queue_not_found', 'PT404', 'There is no such queue.'),
  ('room_not_found', 'PT404', 'There is no such chat.'),
  ('stay_not_found', 'PT404', 'There is no such stay.'),
  ('user_not_found', 'PT404', 'There is no such person.'),
  ('attachment_not_verified', 'PT409', 'This file has not arrived, or is not what was announced.'),
  ('attachment_used', 'PT409', 'This file has been sent already.'),
  ('client_id_reused', 'PT409', 'This client id belongs to a message with another content.'),
  ('encrypted_message', 'PT409', 'An encrypted message is neither edited nor forwarded.'),
  ('file_state_invalid', 'PT409', 'A file goes no step back, and leaves none out.'),
  ('fingerprint_mismatch', 'PT409', 'This key has another fingerprint.'),
  ('key_id_taken', 'PT409', 'This id stands for another key, or for one that is over.'),
  ('key_not_in_use', 'PT409', 'This key has been revoked, or has expired.'),
  ('last_admin', 'PT409', 'Somebody else has to be made an admin first.'),
  ('message_deleted', 'PT409', 'This message is deleted.'),
  ('message_not_deleted', 'PT409', 'This message is not deleted.'),
  ('room_occupied', 'PT409', 'Somebody else is checked in to this room.'),
  ('slug_taken', 'PT409', 'Another organization has this slug.'),
  ('stay_over', 'PT409', 'This stay is over.'),
  ('system_message', 'PT409', 'What the system says is neither edited nor forwarded.'),
  ('too_much_unsent', 'PT409', 'Send what you have uploaded before you upload more.'),
  ('undo_window_over', 'PT409', 'It is too late to bring this message back.'),
  ('username_taken', 'PT409', 'Somebody else has this username.'),
  ('archive_too_large', 'PT413', 'These are too many files for one archive, or too large ones.'),
  ('avatar_url_invalid', 'PT422', 'A picture is a web address of at most 2,000 characters.'),
  ('block_of_oneself', 'PT422', 'Nobody blocks oneself.'),
  ('chat_with_oneself', 'PT422', 'A direct chat needs another person.'),
  ('content_required', 'PT422', 'A message needs a text.'),
  ('content_too_long', 'PT422', 'A message holds at most 10,000 characters.'),
  ('cursor_invalid', 'PT422', 'A cursor is {seq, change_seq} or a number, by the id of its room.'),
  ('description_too_long', 'PT422', 'A description holds at most 2,000 characters.'),
  ('device_id_invalid', 'PT422', 'The id of a device is 1 to 255 characters.'),
  ('encrypted_content_invalid', 'PT422', 'An encrypted message is JSON, {v, keys, body}, of at most 128 KB.'),
  ('encrypted_with_clear_text', 'PT422', 'An encrypted message has no clear text beside it.'),
  ('encryption_key_required', 'PT422', 'An encrypted message names the key of its sender.'),
  ('expiry_in_the_past', 'PT422', 'What expires, expires in the future.'),
  ('file_empty', 'PT422', 'A file is not empty.'),
  ('file_name_invalid', 'PT422', 'The name of a file is 1 to 255 characters, without slashes.'),
  ('file_too_large', 'PT422', 'This file is too large.'),
  ('file_type_not_allowed', 'PT422', 'Files of this type cannot be sent.'),
  ('fingerprint_too_short', 'PT422', 'Compare at least the first 12 digits of a fingerprint.'),
  ('guest_name_invalid', 'PT422', 'The name of a guest is 1 to 200 characters.'),
  ('key_id_invalid', 'PT422', 'The id of a key is 1 to 255 characters.'),
  ('lease_out_of_range', 'PT422', 'A lease is from 35 to 300 seconds.'),
  ('limit_out_of_range', 'PT422', 'The limit is out of its range.'),
  ('message_count_out_of_range', 'PT422', 'Name at least one message, and not too many at once.'),
  ('metadata_too_large', 'PT422', 'The metadata is a JSON object of at most 4 KB.'),
  ('mute_in_the_past', 'PT422', 'A chat is muted until a time to come.'),
  ('name_too_long', 'PT422', 'A first or last name holds at most 100 characters.'),
  ('not_a_public_key', 'PT422', 'This is no public key in PEM: RSA from 2,048 bits, P-256, Ed25519 or X25519.'),
  ('not_an_emoji', 'PT422', 'A reaction is one emoji.'),
  ('one_cursor_only', 'PT422', 'Page either before or after a message.'),
  ('one_message_per_update', 'PT422', 'One update edits one message, named by its id.'),
  ('one_room_per_delete', 'PT422', 'One delete reaches into one chat.'),
  ('one_room_per_insert', 'PT422', 'One insert writes to one chat.'),
  ('organization_name_invalid', 'PT422', 'The name of an organization is 1 to 200 characters.'),
  ('product_too_long', 'PT422', 'A product id holds at most 200 characters.'),
  ('reason_required', 'PT422', 'Say why.'),
  ('reason_too_long', 'PT422', 'A reason holds at most 500 characters.'),
  ('room_count_out_of_range', 'PT422', 'Name at least one chat, and not too many at once.'),
  ('push_target_invalid', 'PT422', 'The target of a push is 1 to 2,000 bytes.'),
  ('query_too_long', 'PT422', 'A search is at most 200 characters.'),
  ('query_too_short', 'PT422', 'A search needs at least 2 letters or digits.'),
  ('quiet_hours_invalid', 'PT422', 'Quiet hours have a beginning and another end.'),
  ('room_number_invalid', 'PT422', 'The number of a hotel room is 1 to 20 characters.'),
  ('setting_out_of_range', 'PT422', 'This setting allows less than that.'),
  ('slug_invalid', 'PT422', 'A slug is 1 to 60 small letters and digits, in words with a dash between them.'),
  ('slug_reserved', 'PT422', 'This slug is a word of our own addresses.'),
  ('title_invalid', 'PT422', 'A title is 1 to 200 characters.'),
  ('too_many_attachments', 'PT422', 'A message holds at most so many files.'),
  ('too_many_keys', 'PT422', 'Revoke a key first: these are as many as anybody has.'),
  ('too_many_members', 'PT422', 'Not so many people at once.'),
  ('too_many_messages', 'PT422', 'One insert writes at most 100 messages.'),
  ('too_many_reactions', 'PT422', 'This message has all the different emojis it can hold.'),
  ('unknown_device_kind', 'PT422', 'There is no such kind of device.'),
  ('unknown_encryption_key', 'PT422', 'A sender encrypts with a key of theirs that is in use.'),
  ('unknown_message_type', 'PT422', 'There is no such type of message.'),
  ('unknown_platform', 'PT422', 'There is no such platform.'),
  ('unknown_role', 'PT422', 'There is no such role.'),
  ('unknown_time_zone', 'PT422', 'There is no such time zone.'),
  ('username_invalid', 'PT422', 'A username is 1 to 40 small letters, digits, dots, dashes and underscores, with a letter or digit at both ends.'),
  ('too_many_requests', 'PT429', 'Too many at once. Wait a little.');

-- Functions
create function private.refuse(p_code text)
returns void
language plpgsql stable security definer set search_path = ''
as $$
declare
  refusal private.error_codes;
begin
  select * into strict refusal from private.error_codes where code = p_code;
  raise exception using
    errcode = refusal.sqlstate, message = refusal.message, detail = refusal.code;
end;
$$;

-- The same, for what may be tried again: the hint holds the seconds to wait.
create function private.refuse_for(p_code text, p_seconds int)
returns void
language plpgsql stable security definer set search_path = ''
as $$
declare
  refusal private.error_codes;
begin
  select * into strict refusal from private.error_codes where code = p_code;
  raise exception using
    errcode = refusal.sqlstate, message = refusal.message, detail = refusal.code, hint = p_seconds::text;
end;
$$;

-- Null when nobody is signed in, and also when a claim is malformed: one caller whose policy raises an error would stop
-- Realtime's row changes for everybody.
create function private.my_id()
returns uuid
language plpgsql stable set search_path = ''
as $$
begin
  return auth.uid();
exception
  when data_exception then
    return null;
end;
$$;

create function private.require_me()
returns uuid
language plpgsql stable set search_path = ''
as $$
declare
  me uuid := private.my_id();
begin
  if me is null then
    perform private.refuse('not_signed_in');
  end if;
  return me;
end;
$$;

-- The caller, who must be more than an anonymous guest.
create function private.require_account()
returns uuid
language plpgsql stable set search_path = ''
as $$
declare
  me uuid := private.require_me();
begin
  if (auth.jwt() -> 'is_anonymous') = 'true'::jsonb then
    perform private.refuse('anonymous_not_allowed');
  end if;
  return me;
end;
$$;

-- Time-ordered (RFC 9562, version 7): new rows land at the end of their index instead of all over it.
create function private.uuid_v7()
returns uuid
language plpgsql volatile set search_path = ''
as $$
declare
  milliseconds bigint := extract(epoch from clock_timestamp()) * 1000;
  random_digits text := replace(gen_random_uuid()::text, '-', '');
begin
  -- 48 bits of time, the version, and 76 random bits that hold the variant where it belongs.
  return lpad(to_hex(milliseconds), 12, '0') || '7' || substr(random_digits, 14);
end;
$$;

-- Grants
grant execute on function private.refuse(text) to authenticated, service_role;
grant execute on function private.my_id() to authenticated, service_role;
grant execute on function private.uuid_v7() to authenticated, service_role;

-- Comments
comment on schema private is 'Helpers and triggers of Parley. Not exposed by the API.';
comment on table private.error_codes is 'Every refusal: the machine code, the SQLSTATE that PostgREST turns into an HTTP status (PT403: 403; 42501 is its own), and the sentence for people.';
comment on function private.my_id() is 'The caller: what policies and functions use in place of auth.uid(), which raises an error on a malformed claim.';
comment on function private.require_me() is 'The caller; refuses not_signed_in.';
comment on function private.require_account() is 'The caller; refuses not_signed_in, anonymous_not_allowed.';
comment on function private.refuse(text) is 'Raises the refusal of that code: its SQLSTATE, the code as detail.';
