-- Editing and deleting: what may become of a message, by whom, and for how long it can be undone.
--
-- A deleted message keeps its row and its seq: a placeholder stands in it. Its content waits in a table that nobody reads
-- for as long as the delete can be undone; then a job wipes it.

-- Tables
create table private.deleted_messages (
  message_id uuid primary key references public.chat_messages (id) on delete cascade,
  content text,
  metadata jsonb not null,
  encryption_key_id text,
  encrypted_content text,
  undo_until timestamptz not null
);

-- Indexes
create index deleted_messages_undo_until_idx on private.deleted_messages (undo_until);

-- Triggers
create function private.begin_edit()
returns trigger
language plpgsql set search_path = ''
as $$
begin
  perform set_config('parley.edited_message', '', true);
  return null;
end;
$$;

create trigger a_begin_edit
before update of content on public.chat_messages
for each statement execute function private.begin_edit();

-- Every edit comes through here, by the function or by a plain update. Deleting and restoring are none.
create function private.check_edit()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
begin
  -- The project's own jobs edit without a caller.
  if me is not null then
    -- Else what can no longer be sent would come as an edit.
    perform private.require_allowed(private.verdict_send(new.room_id, me));
    if new.sender_id is distinct from me then
      perform private.refuse('not_the_author');
    end if;
  end if;

  if new.is_deleted then
    perform private.refuse('message_deleted');
  elsif new.is_encrypted then
    perform private.refuse('encrypted_message');
  elsif new.message_type = 'system' then
    perform private.refuse('system_message');
  elsif char_length(new.content) > 10000 then
    perform private.refuse('content_too_long');
  elsif coalesce(new.content, '') = '' and not private.has_attachments(new) then
    perform private.refuse('content_required');
  end if;

  new.content := nullif(new.content, '');
  if new.content is distinct from old.content then
    new.is_edited := true;
    new.edited_at := clock_timestamp();
    new.change_seq := private.next_change_seq(new.room_id);
  end if;
  return new;
end;
$$;

create trigger check_edit
before update of content on public.chat_messages
for each row when (old.is_deleted = new.is_deleted)
execute function private.check_edit();

create function private.announce_edit()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.audit(new.room_id, new.id, 'edit');
  perform private.tell_room(new.room_id, 'message-edited', private.message_event(new));
  return null;
end;
$$;

create trigger announce_edit
after update of content on public.chat_messages
for each row when (old.is_deleted = new.is_deleted and old.content is distinct from new.content)
execute function private.announce_edit();

-- Functions
-- For the policy on updates, which Postgres asks before it locks the row: whoever changes a message has locked its room
-- first, and a plain update that did it the other way round would wait for a delete that waits for it.
create function private.lock_for_edit(p_message_id uuid, p_room_id uuid)
returns boolean
-- Asked last, when the row is known to be meant.
language plpgsql volatile security definer cost 100000 set search_path = ''
as $$
begin
  if p_message_id::text <> coalesce(nullif(current_setting('parley.edited_message', true), ''), p_message_id::text) then
    perform private.refuse('one_message_per_update');
  end if;
  perform set_config('parley.edited_message', p_message_id::text, true);
  perform private.lock_rooms(array[p_room_id]);
  return true;
end;
$$;

create function private.edit_message(p_message_id uuid, p_content text)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
begin
  perform private.lock_message(p_message_id);
  update public.chat_messages set content = p_content where id = p_message_id;
  return private.my_message_json(p_message_id);
end;
$$;

-- Who may delete what: null, or the code of the refusal. The caller is known to be in the room.
create function private.verdict_delete(p_message public.chat_messages, p_hard boolean)
returns text
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.my_id();
  refusal text;
begin
  if p_hard then
    refusal := private.verdict_hard_delete(p_message.room_id, me);
    if refusal is not null then
      return refusal;
    end if;
  elsif not private.is_room_manager(p_message.room_id, me) and private.verdict_manage(p_message.room_id, me) is not null then
    if p_message.sender_id is distinct from me or p_message.message_type = 'system' then
      return 'not_the_author';
    elsif p_message.created_at + private.delete_window(p_message.room_id, me) < clock_timestamp() then
      return 'guest_window_over';
    end if;
  end if;

  -- What can still be undone can be deleted for good.
  if p_message.is_deleted
    and not (p_hard and exists (select from private.deleted_messages where message_id = p_message.id))
  then
    return 'message_deleted';
  end if;
  return null;
end;
$$;

-- For how long somebody may delete what they wrote in this room. Null, for all but a hotel's guests: at any time.
create function private.delete_window(p_room_id uuid, p_user_id uuid)
returns interval
language plpgsql stable security definer set search_path = ''
as $$
begin
  return (
    select organization.guest_delete_window
    from public.chat_rooms as r
    join public.organizations as organization on organization.id = r.organization_id
    where r.id = p_room_id
      and r.type = 'guest'
      and not exists (
        select
        from public.organization_members as staff
        where staff.organization_id = organization.id and staff.user_id = p_user_id
      )
  );
end;
$$;

create function private.can_delete_message(p_message_id uuid, p_hard boolean)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  reason text := private.verdict_delete(private.require_message(p_message_id), p_hard);
begin
  return jsonb_build_object('allowed', reason is null, 'reason', reason);
end;
$$;

create function private.placeholder(p_has_text boolean, p_has_files boolean)
returns text
language plpgsql immutable set search_path = ''
as $$
begin
  return case
    when p_has_text and p_has_files then '[Message and file(s) deleted]'
    when p_has_files then '[File deleted]'
    else '[Message deleted]'
  end;
end;
$$;

-- All of them or none.
create function private.delete_messages(p_message_ids uuid[], p_hard boolean, p_reason text)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  message public.chat_messages;
begin
  if (cardinality(p_message_ids) between 1 and private.limit_of('messages_per_bulk_delete')) is not true then
    perform private.refuse('message_count_out_of_range');
  elsif char_length(p_reason) > 500 then
    perform private.refuse('reason_too_long');
  end if;

  -- As in private.lock_message: asked before and after the locks.
  perform private.lock_rooms(array(select (private.require_message(id)).room_id from unnest(p_message_ids) as id));
  for message in
    select m.* from (select distinct unnest(p_message_ids) as id) as ids, private.require_message(ids.id) as m order by m.id
  loop
    perform private.require_allowed(private.verdict_delete(message, p_hard));
    perform private.delete_locked_message(message, p_hard, p_reason);
  end loop;
end;
$$;

create function private.delete_locked_message(p_message public.chat_messages, p_hard boolean, p_reason text)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  message public.chat_messages;
  event jsonb;
begin
  if p_message.is_deleted then
    update public.chat_messages
    set deleted_by = private.my_id(), change_seq = private.next_change_seq(room_id)
    where id = p_message.id
    returning * into message;
  else
    insert into private.deleted_messages (
      message_id, content, metadata, encryption_key_id, encrypted_content, undo_until
    )
    values (
      p_message.id, p_message.content, p_message.metadata, p_message.encryption_key_id, p_message.encrypted_content,
      clock_timestamp() + private.undo_window(p_message.room_id)
    );
    update public.chat_messages
    set
      is_deleted = true,
      deleted_at = clock_timestamp(),
      deleted_by = private.my_id(),
      content = private.placeholder(
        content is not null or encrypted_content is not null, private.has_attachments(p_message)
      ),
      metadata = '{}',
      is_encrypted = false,
      encryption_key_id = null,
      encrypted_content = null,
      change_seq = private.next_change_seq(room_id)
    where id = p_message.id
    returning * into message;
  end if;
  if p_hard then
    perform private.wipe_messages(array[message.id]);
  end if;

  perform private.move_last_message_back(message);
  perform private.audit(message.room_id, message.id, case when p_hard then 'hard_delete' else 'delete' end, p_reason);
  event := private.message_event(message);
  perform private.tell_room(
    message.room_id,
    'message-deleted',
    event || jsonb_build_object(
      'message_id', message.id,
      'hard_delete', p_hard,
      'message', event -> 'message' || jsonb_build_object('message', message.content)
    )
  );
end;
$$;

-- For how long a delete can be undone in this room.
create function private.undo_window(p_room_id uuid)
returns interval
language plpgsql stable security definer set search_path = ''
as $$
begin
  return coalesce(
    (
      select organization.undo_window
      from public.chat_rooms as r
      join public.organizations as organization on organization.id = r.organization_id
      where r.id = p_room_id
    ),
    make_interval(secs => private.limit_of('undo_seconds'))
  );
end;
$$;

-- A room's last message is the newest that is left. The room keeps its place in lists: they go by `updated_at`, which a
-- delete leaves alone.
create function private.move_last_message_back(p_message public.chat_messages)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  update public.chat_rooms as r
  set (last_message_id, last_message_at) = (
    select m.id, m.created_at
    from public.chat_messages as m
    where m.room_id = r.id and m.seq < p_message.seq and m.seq > r.floor_seq and not m.is_deleted
    order by m.seq desc
    limit 1
  )
  where r.id = p_message.room_id and r.last_message_id = p_message.id;
end;
$$;

create function private.move_last_message_forth(p_message public.chat_messages)
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  update public.chat_rooms as r
  set last_message_id = p_message.id, last_message_at = p_message.created_at
  where r.id = p_message.room_id
    and p_message.seq > coalesce((select m.seq from public.chat_messages as m where m.id = r.last_message_id), 0);
end;
$$;

create function private.undo_delete_message(p_message_id uuid)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  message public.chat_messages := private.lock_message(p_message_id);
  kept private.deleted_messages;
begin
  if not message.is_deleted then
    perform private.refuse('message_not_deleted');
  elsif message.deleted_by is distinct from private.my_id() then
    perform private.refuse('not_the_deleter');
  end if;
  delete from private.deleted_messages
  where message_id = message.id and undo_until >= clock_timestamp()
  returning * into kept;
  if kept.message_id is null then
    perform private.refuse('undo_window_over');
  end if;

  update public.chat_messages
  set
    is_deleted = false,
    deleted_at = null,
    deleted_by = null,
    content = kept.content,
    metadata = kept.metadata,
    is_encrypted = kept.encrypted_content is not null,
    encryption_key_id = kept.encryption_key_id,
    encrypted_content = kept.encrypted_content,
    change_seq = private.next_change_seq(room_id)
  where id = message.id
  returning * into message;

  perform private.move_last_message_forth(message);
  perform private.audit(message.room_id, message.id, 'undo_delete');
  perform private.tell_room(message.room_id, 'message-restored', private.message_event(message));
  return private.my_message_json(message.id);
end;
$$;

-- Ends what is left of deleted messages, whose rooms are locked, for good. Whatever hangs on a message, and is only not
-- shown while a delete can be undone, is taken away here.
create function private.wipe_messages(p_message_ids uuid[])
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  delete from private.deleted_messages where message_id = any (p_message_ids);
  delete from public.message_attachments where message_id = any (p_message_ids);
  delete from public.message_mentions where message_id = any (p_message_ids);
  delete from public.message_reactions where message_id = any (p_message_ids);
end;
$$;

create function private.wipe_deleted_messages()
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  message_ids uuid[] := array(
    select message_id from private.deleted_messages where undo_until < clock_timestamp() order by undo_until limit 1000
  );
begin
  perform private.lock_rooms(array(select room_id from public.chat_messages where id = any (message_ids)));
  -- Asked again: one may have come back while this waited.
  perform private.wipe_messages(array(
    select message_id
    from private.deleted_messages
    where message_id = any (message_ids) and undo_until < clock_timestamp()
  ));
end;
$$;

create function public.edit_message(p_message_id uuid, p_content text)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.edit_message(p_message_id, p_content);
end;
$$;

create function public.can_delete_message(p_message_id uuid, p_hard boolean default false)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.can_delete_message(p_message_id, coalesce(p_hard, false));
end;
$$;

create function public.delete_message(p_message_id uuid, p_hard boolean default false, p_reason text default null)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.delete_messages(array[p_message_id], coalesce(p_hard, false), p_reason);
  return private.my_message_json(p_message_id);
end;
$$;

create function public.delete_messages(p_message_ids uuid[], p_reason text default null)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.delete_messages(p_message_ids, false, p_reason);
  return jsonb_build_object('deleted_message_ids', p_message_ids);
end;
$$;

create function public.undo_delete_message(p_message_id uuid)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.undo_delete_message(p_message_id);
end;
$$;

-- Jobs
select cron.schedule('wipe_deleted_messages', '10 seconds', 'select private.wipe_deleted_messages()');

-- Policies
alter table private.deleted_messages enable row level security;

create policy "Nobody reads what was deleted"
on private.deleted_messages for select to authenticated
using (false);

create policy "Authors edit their messages"
on public.chat_messages for update to authenticated
using (sender_id = (select private.my_id()) and private.lock_for_edit(id, room_id));

-- Grants
grant update (content) on public.chat_messages to authenticated;
grant execute on function private.lock_for_edit(uuid, uuid) to authenticated;
grant execute on function private.edit_message(uuid, text) to authenticated;
grant execute on function private.can_delete_message(uuid, boolean) to authenticated;
grant execute on function private.delete_messages(uuid[], boolean, text) to authenticated;
grant execute on function private.undo_delete_message(uuid) to authenticated;
grant execute on function public.edit_message(uuid, text) to authenticated;
grant execute on function public.can_delete_message(uuid, boolean) to authenticated;
grant execute on function public.delete_message(uuid, boolean, text) to authenticated;
grant execute on function public.delete_messages(uuid[], text) to authenticated;
grant execute on function public.undo_delete_message(uuid) to authenticated;

-- Comments
comment on table private.deleted_messages is 'What deleted messages held, for as long as the delete can be undone.';
comment on function private.verdict_delete(public.chat_messages, boolean) is
'Who may delete a message: null, or the code of the refusal. The one source for deleting, for can_delete_message and for clients'' buttons.';
comment on function public.edit_message(uuid, text) is
'Changes the text of a message of one''s own; a plain update of content does the same. Answers the message. Refusals: not_signed_in, message_not_found, not_a_member, not_the_author, stay_over, blocked, message_deleted, encrypted_message, system_message, content_required, content_too_long.';
comment on function public.can_delete_message(uuid, boolean) is
'Whether the caller may delete this message, and if not, why: {allowed, reason}. Refusals: not_signed_in, message_not_found, not_a_member.';
comment on function public.delete_message(uuid, boolean, text) is
'Deletes a message: authors theirs (guests for a few minutes), admins and managers of the organization and admins of a group any. It can be undone for a while, unless deleted hard, which is for admins and managers. Answers the message with its placeholder. Refusals: not_signed_in, message_not_found, not_a_member, not_the_author, guest_window_over, not_an_admin, message_deleted, reason_too_long.';
comment on function public.delete_messages(uuid[], text) is
'Deletes several messages, all or none. Answers {deleted_message_ids}. Refusals: message_count_out_of_range, and those of delete_message.';
comment on function public.undo_delete_message(uuid) is
'Brings a message back, by whoever deleted it and while it can be undone. Answers the message. Refusals: not_signed_in, message_not_found, not_a_member, message_not_deleted, not_the_deleter, undo_window_over.';
