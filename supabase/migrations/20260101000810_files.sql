-- Files: what messages carry. SQL knows each stored file and what may become of it; the bytes lie at Cloudinary or in
-- Storage, and the upload function alone signs their URLs.
--
--   pending → verified → attached → delete_requested → gone
--
-- What is gone may come again while the signature of its upload is good: then it is to go again.
--
-- An upload's id becomes the id of its attachment when it is sent. A forwarded copy is an attachment of its own over the
-- same file: a file is destroyed when no message shows it any more.

-- Types
create type public.media_provider as enum ('cloudinary', 'supabase');
create type public.media_state as enum ('pending', 'verified', 'attached', 'delete_requested', 'gone');

-- Tables
create table public.media_assets (
  id uuid primary key default private.uuid_v7(),
  provider public.media_provider not null,
  public_id text not null,
  resource_type text not null,
  owner_id uuid references public.profiles (id) on delete set null,
  room_id uuid references public.chat_rooms (id) on delete set null,
  state public.media_state not null default 'pending',
  file_name text not null,
  declared_mime_type text not null,
  declared_size_bytes bigint not null,
  mime_type text,
  size_bytes bigint,
  created_at timestamptz not null default now(),
  state_changed_at timestamptz not null default now(),
  -- At Cloudinary an image, a video and a raw file may share a public id.
  constraint media_assets_one_per_place unique (provider, public_id, resource_type),
  constraint resource_type_is_cloudinarys check (resource_type in ('image', 'video', 'raw')),
  constraint file_name_is_1_to_255_chars check (char_length(file_name) between 1 and 255),
  constraint verified_files_say_what_arrived
  check (state not in ('verified', 'attached') or mime_type is not null and size_bytes is not null)
);

create table public.message_attachments (
  id uuid primary key default private.uuid_v7(),
  message_id uuid not null references public.chat_messages (id) on delete cascade,
  asset_id uuid not null references public.media_assets (id),
  room_id uuid not null,
  position bigint not null,
  constraint message_attachments_one_per_position unique (message_id, position)
);

create table public.message_downloads (
  user_id uuid not null references public.profiles (id) on delete cascade,
  attachment_id uuid not null references public.message_attachments (id) on delete cascade,
  downloaded_at timestamptz not null,
  message_id uuid not null references public.chat_messages (id) on delete cascade,
  primary key (user_id, attachment_id, downloaded_at)
);

-- Indexes
create index media_assets_owner_idx on public.media_assets (owner_id);
create index media_assets_room_idx on public.media_assets (room_id);
-- What a job has to look at: few of many.
create index media_assets_waiting_idx on public.media_assets (state_changed_at) where state <> 'attached';
create index message_attachments_asset_idx on public.message_attachments (asset_id);
create index message_attachments_room_idx on public.message_attachments (room_id);
create index message_downloads_attachment_idx on public.message_downloads (attachment_id);
create index message_downloads_message_idx on public.message_downloads (message_id);

-- Triggers
create function private.check_media_state()
returns trigger
language plpgsql set search_path = ''
as $$
begin
  if tg_op = 'INSERT' then
    if new.state <> 'pending' then
      perform private.refuse('file_state_invalid');
    end if;
    return new;
  -- A row that went before its file would leave the file for ever.
  elsif tg_op = 'DELETE' then
    if old.state <> 'gone' then
      perform private.refuse('file_state_invalid');
    end if;
    return old;
  end if;

  if (old.state, new.state) not in (
    ('pending', 'verified'), ('verified', 'attached'), ('delete_requested', 'gone'),
    ('pending', 'delete_requested'), ('verified', 'delete_requested'), ('attached', 'delete_requested'),
    ('gone', 'delete_requested')
  ) then
    perform private.refuse('file_state_invalid');
  end if;
  new.state_changed_at := clock_timestamp();
  return new;
end;
$$;

create trigger check_media_state
before insert or delete on public.media_assets
for each row execute function private.check_media_state();

create trigger check_new_media_state
before update of state on public.media_assets
for each row when (old.state <> new.state)
execute function private.check_media_state();

-- The room is locked by then, so of two sends that race for a file the second finds it used. Before the event that shows
-- the files: triggers run in the order of their names.
create function private.attach_files()
returns trigger
language plpgsql security definer set search_path = ''
as $$
declare
  attachment record;
begin
  -- The original's room is locked too: what it shows now it shows until the end of this.
  if new.forwarded_from is not null then
    insert into public.message_attachments (id, message_id, asset_id, room_id, position)
    select copy.id, new.id, original.asset_id, new.room_id, copy.place
    from unnest(new.attachment_ids) with ordinality as copy (id, place)
    join (
      select asset_id, row_number() over (order by position) as place
      from public.message_attachments
      where message_id = new.forwarded_from
    ) as original using (place);
    return null;
  end if;

  for attachment in
    select sent.id, sent.place, asset.state, asset.size_bytes
    from unnest(new.attachment_ids) with ordinality as sent (id, place)
    left join public.media_assets as asset
      on asset.id = sent.id
      and asset.owner_id = new.sender_id
      -- Without a room it is for whichever its owner sends it to.
      and (asset.room_id = new.room_id or asset.room_id is null)
    order by sent.id
  loop
    if attachment.state is null or attachment.state in ('delete_requested', 'gone') then
      perform private.refuse('attachment_not_found');
    elsif attachment.state = 'attached' then
      perform private.refuse('attachment_used');
    elsif attachment.size_bytes > (select max_bytes from private.attachment_limits(new.room_id)) then
      perform private.refuse('file_too_large');
    end if;

    -- Asked again of the row itself: it may just have been given up.
    update public.media_assets
    set state = 'attached', room_id = new.room_id
    where id = attachment.id and state = 'verified';
    if not found then
      perform private.refuse('attachment_not_verified');
    end if;
    insert into public.message_attachments (id, message_id, asset_id, room_id, position)
    values (attachment.id, new.id, attachment.id, new.room_id, attachment.place);
  end loop;
  return null;
end;
$$;

create trigger a_attach_files
after insert on public.chat_messages
for each row when (new.attachment_ids is not null)
execute function private.attach_files();

-- Whatever takes attachments away comes through here: wiping a deleted message, clearing, the end of a room. The files are
-- locked before they are looked at: of two messages that give up the same file at the same moment, one sees that it was
-- the last.
create function private.release_files()
returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
  perform
  from public.media_assets
  where id in (select asset_id from released)
  order by id
  for no key update;

  update public.media_assets as asset
  set state = 'delete_requested'
  where asset.id in (select asset_id from released)
    and asset.state = 'attached'
    and not exists (select from public.message_attachments where asset_id = asset.id);
  return null;
end;
$$;

create trigger release_files
after delete on public.message_attachments
referencing old table as released
for each statement execute function private.release_files();

-- Functions: what is allowed
create function private.attachment_mime_types()
returns text[]
language plpgsql immutable set search_path = ''
as $$
begin
  -- No SVG and no HTML: those are programs.
  return array[
    'application/msword', 'application/pdf', 'application/rtf', 'application/vnd.ms-excel', 'application/vnd.ms-powerpoint',
    'application/vnd.oasis.opendocument.presentation', 'application/vnd.oasis.opendocument.spreadsheet',
    'application/vnd.oasis.opendocument.text',
    'application/vnd.openxmlformats-officedocument.presentationml.presentation',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'audio/aac', 'audio/flac', 'audio/mp4', 'audio/mpeg', 'audio/ogg', 'audio/wav', 'audio/webm', 'audio/x-m4a',
    'audio/x-wav',
    'image/avif', 'image/bmp', 'image/gif', 'image/heic', 'image/heif', 'image/jpeg', 'image/png', 'image/webp',
    'text/csv', 'text/markdown', 'text/plain',
    'video/3gpp', 'video/mp4', 'video/ogg', 'video/quicktime', 'video/webm'
  ];
end;
$$;

-- `Text/Plain; charset=utf-8` is text/plain.
create function private.to_mime_type(p_text text)
returns text
language plpgsql immutable set search_path = ''
as $$
begin
  return lower(trim(split_part(p_text, ';', 1)));
end;
$$;

-- Cloudinary's words: sound is video there.
create function private.resource_type_of(p_mime_type text)
returns text
language plpgsql immutable set search_path = ''
as $$
begin
  return case split_part(p_mime_type, '/', 1) when 'image' then 'image' when 'audio' then 'video' when 'video' then 'video' else 'raw' end;
end;
$$;

-- What is neither picture nor film Cloudinary serves as what its ending says, and a browser keeps as that: the type gives
-- the ending, not the uploader.
create function private.file_ending(p_mime_type text)
returns text
language plpgsql immutable set search_path = ''
as $$
begin
  return case p_mime_type
    when 'application/msword' then '.doc'
    when 'application/pdf' then '.pdf'
    when 'application/rtf' then '.rtf'
    when 'application/vnd.ms-excel' then '.xls'
    when 'application/vnd.ms-powerpoint' then '.ppt'
    when 'application/vnd.oasis.opendocument.presentation' then '.odp'
    when 'application/vnd.oasis.opendocument.spreadsheet' then '.ods'
    when 'application/vnd.oasis.opendocument.text' then '.odt'
    when 'application/vnd.openxmlformats-officedocument.presentationml.presentation' then '.pptx'
    when 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' then '.xlsx'
    when 'application/vnd.openxmlformats-officedocument.wordprocessingml.document' then '.docx'
    when 'text/csv' then '.csv'
    when 'text/markdown' then '.md'
    when 'text/plain' then '.txt'
  end;
end;
$$;

create function private.attachment_limits(p_room_id uuid)
returns table (max_attachments bigint, max_bytes bigint)
language plpgsql stable security definer set search_path = ''
as $$
begin
  return query
  select
    coalesce(organization.max_attachments, private.limit_of('attachments_per_message')),
    coalesce(organization.max_attachment_bytes, private.limit_of('attachment_bytes'))
  from (select p_room_id as room_id) as asked
  left join public.chat_rooms as r on r.id = asked.room_id
  left join public.organizations as organization on organization.id = r.organization_id;
end;
$$;

-- What speaks against a file: null, or the code of the refusal.
create function private.verdict_file(p_file_name text, p_mime_type text, p_size_bytes bigint, p_max_bytes bigint)
returns text
language plpgsql stable set search_path = ''
as $$
begin
  return case
    when (char_length(p_file_name) between 1 and 255 and p_file_name !~ '[[:cntrl:]/\\]') is not true
    then 'file_name_invalid'
    when (p_mime_type = any (private.attachment_mime_types())) is not true then 'file_type_not_allowed'
    when (p_size_bytes > 0) is not true then 'file_empty'
    when p_size_bytes > p_max_bytes then 'file_too_large'
  end;
end;
$$;

-- The ids that a send names, each once and in their order; none is null.
create function private.checked_attachment_ids(p_room_id uuid, p_attachment_ids uuid[])
returns uuid[]
language plpgsql stable security definer set search_path = ''
as $$
declare
  ids uuid[] := array(
    select id
    from unnest(p_attachment_ids) with ordinality as sent (id, place)
    where id is not null
    group by id
    order by min(place)
  );
begin
  if cardinality(ids) > (select max_attachments from private.attachment_limits(p_room_id)) then
    perform private.refuse('too_many_attachments');
  end if;
  return nullif(ids, '{}');
end;
$$;

create function private.has_attachments(p_message public.chat_messages)
returns boolean
language plpgsql stable set search_path = ''
as $$
begin
  return p_message.attachment_ids is not null;
end;
$$;

-- Functions: how they look
-- The files of these messages. `url` is null, since SQL holds no signing secret: the HTTP door fills it.
create function private.attachments_of(p_message_ids uuid[])
returns table (message_id uuid, attachments jsonb)
language plpgsql stable security definer set search_path = ''
as $$
begin
  return query
  select
    attachment.message_id,
    jsonb_agg(
      jsonb_build_object(
        'id', attachment.id,
        'file_name', asset.file_name,
        'mime_type', asset.mime_type,
        'size_bytes', asset.size_bytes,
        'url', null,
        'thumbnail_url', null
      )
      order by attachment.position
    )
  from public.message_attachments as attachment
  join public.media_assets as asset on asset.id = attachment.asset_id
  where attachment.message_id = any (p_message_ids)
  group by attachment.message_id;
end;
$$;

-- Functions: uploading, for the upload function alone
create function private.create_attachments(
  p_user_id uuid, p_room_id uuid, p_files jsonb, p_provider public.media_provider
)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  limits record;
  refused jsonb;
  uploads jsonb;
begin
  if p_room_id is not null then
    perform private.require_allowed(private.verdict_send(p_room_id, p_user_id));
  end if;
  select * into limits from private.attachment_limits(p_room_id);
  if jsonb_array_length(p_files) > limits.max_attachments then
    perform private.refuse('too_many_attachments');
  end if;
  perform private.take_token(p_user_id, 'upload', private.limit_of('uploads_per_minute'), '1 minute');
  -- What is announced and never sent lies somewhere for a day, and somebody pays for it.
  if (
    select coalesce(sum(coalesce(size_bytes, limits.max_bytes)), 0) from private.files_in(p_files)
  ) + (
    select coalesce(sum(declared_size_bytes), 0)
    from public.media_assets
    where owner_id = p_user_id and state in ('pending', 'verified')
  ) > private.limit_of('unsent_bytes') then
    perform private.refuse('too_much_unsent');
  end if;

  select
    jsonb_agg(
      jsonb_build_object('file_name', file.file_name, 'error', refusal.code, 'message', refusal.message) order by file.place
    ) into refused
  from private.files_in(p_files) as file,
    private.verdict_file(
      -- Who does not say how large it is may be about to send the most that is allowed.
      file.file_name, file.mime_type, coalesce(file.size_bytes, limits.max_bytes), limits.max_bytes
    ) as verdict
  join private.error_codes as refusal on refusal.code = verdict;
  if refused is not null then
    return jsonb_build_object('uploads', '[]'::jsonb, 'refused', refused);
  end if;

  with files as materialized (
    select private.uuid_v7() as id, file.* from private.files_in(p_files) as file
  ),
  inserted as (
    insert into public.media_assets (
      id, provider, public_id, resource_type, owner_id, room_id, file_name, declared_mime_type, declared_size_bytes
    )
    select
      id,
      p_provider,
      case p_provider
        -- Links show where a file lies, also to those whom it was forwarded to: it says neither whose it is nor of which chat.
        when 'cloudinary' then format('parley/%s%s', id, private.file_ending(mime_type))
        -- The letters that Storage takes; from a long name the end, which says what it is.
        else format(
          'uploads/%s/%s%s',
          id,
          right(regexp_replace(file_name, '[^A-Za-z0-9._-]+', '_', 'g'), 100),
          case when (lower(file_name) like '%' || private.file_ending(mime_type)) is false then private.file_ending(mime_type) end
        )
      end,
      private.resource_type_of(mime_type),
      p_user_id,
      p_room_id,
      file_name,
      mime_type,
      coalesce(size_bytes, limits.max_bytes)
    from files
    returning *
  )
  select jsonb_agg(
    jsonb_build_object(
      'attachment_id', inserted.id,
      'provider', inserted.provider,
      'public_id', inserted.public_id,
      'resource_type', inserted.resource_type,
      'file_name', inserted.file_name,
      'mime_type', inserted.declared_mime_type,
      'size_bytes', inserted.declared_size_bytes,
      'max_bytes', limits.max_bytes
    )
    order by files.place
  ) into uploads
  from inserted
  join files using (id);
  return jsonb_build_object('uploads', coalesce(uploads, '[]'), 'refused', '[]'::jsonb);
end;
$$;

create function private.files_in(p_files jsonb)
returns table (place bigint, file_name text, mime_type text, size_bytes bigint)
language plpgsql immutable set search_path = ''
as $$
begin
  return query
  select file.place, file.file_name, private.to_mime_type(file.mime_type), file.size_bytes
  from rows from (jsonb_to_recordset(p_files) as (file_name text, mime_type text, size_bytes bigint)) with ordinality
    as file (file_name, mime_type, size_bytes, place);
end;
$$;

-- Of these files those of this person that nobody has looked at yet. Looking costs a question of many that the store of
-- files answers an hour, to all people together: so each person has a part of them.
create function private.pending_uploads(p_user_id uuid, p_attachment_ids uuid[])
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  pending jsonb;
begin
  select jsonb_agg(
    jsonb_build_object(
      'attachment_id', id,
      'provider', provider,
      'public_id', public_id,
      'resource_type', resource_type,
      'file_name', file_name,
      'mime_type', declared_mime_type,
      'size_bytes', declared_size_bytes
    )
  ) into pending
  from public.media_assets
  where id = any (p_attachment_ids) and owner_id = p_user_id and state = 'pending';
  if pending is not null then
    perform private.take_token(p_user_id, 'upload_check', private.limit_of('upload_checks_per_hour'), '1 hour');
  end if;
  return coalesce(pending, '[]');
end;
$$;

-- What arrived is not what was promised: the file is given up, and the answer says why. A refusal would take that back.
create function private.verify_attachment(p_attachment_id uuid, p_mime_type text, p_size_bytes bigint)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  asset public.media_assets;
  arrived_type text := private.to_mime_type(p_mime_type);
  verdict text;
begin
  select * into asset from public.media_assets where id = p_attachment_id for no key update;
  if asset.id is null or asset.state in ('delete_requested', 'gone') then
    perform private.refuse('attachment_not_found');
  end if;

  if asset.state = 'pending' then
    verdict := private.verdict_file(
      asset.file_name,
      arrived_type,
      p_size_bytes,
      least(asset.declared_size_bytes, (select max_bytes from private.attachment_limits(asset.room_id)))
    );
    if verdict is null and private.resource_type_of(arrived_type) <> asset.resource_type then
      verdict := 'file_type_not_allowed';
    end if;
    update public.media_assets
    set
      state = case when verdict is null then 'verified' else 'delete_requested' end::public.media_state,
      mime_type = arrived_type,
      size_bytes = p_size_bytes
    where id = asset.id
    returning * into asset;
  end if;
  return jsonb_build_object(
    'attachment_id', asset.id,
    'state', asset.state,
    'error', verdict,
    'message', (select message from private.error_codes where code = verdict)
  );
end;
$$;

create function public.create_attachments(
  p_user_id uuid, p_room_id uuid, p_files jsonb, p_provider public.media_provider default 'cloudinary'
)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.create_attachments(p_user_id, p_room_id, p_files, p_provider);
end;
$$;

create function public.pending_uploads(p_user_id uuid, p_attachment_ids uuid[])
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.pending_uploads(p_user_id, p_attachment_ids);
end;
$$;

create function public.verify_attachment(p_attachment_id uuid, p_mime_type text, p_size_bytes bigint)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.verify_attachment(p_attachment_id, p_mime_type, p_size_bytes);
end;
$$;

-- Functions: seeing, for the functions that sign links
create function private.file_json(p_attachment_id uuid, p_asset public.media_assets, p_sent_at timestamptz)
returns jsonb
language plpgsql stable set search_path = ''
as $$
begin
  return jsonb_build_object(
    'attachment_id', p_attachment_id,
    'provider', p_asset.provider,
    'public_id', p_asset.public_id,
    'resource_type', p_asset.resource_type,
    'file_name', p_asset.file_name,
    'mime_type', p_asset.mime_type,
    'size_bytes', p_asset.size_bytes,
    'sent_at', p_sent_at
  );
end;
$$;

-- As with messages: the hotel also sees the files of guests who have left.
create function private.get_attachments(p_attachment_ids uuid[], p_require_all boolean)
returns jsonb
language plpgsql stable security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  found jsonb;
  missing_id uuid;
begin
  with asked as (
    select id, min(place) as place
    from unnest(p_attachment_ids) with ordinality as asked (id, place)
    group by id
  ),
  attached as (
    select asked.place, attachment.id, attachment.asset_id, message.room_id, message.seq, message.created_at
    from asked
    join public.message_attachments as attachment using (id)
    join public.chat_messages as message on message.id = attachment.message_id
    where not message.is_deleted
  ),
  mine as (
    select room_id, private.hidden_up_to_seq(me, room_id) as hidden_seq
    from (select distinct room_id from attached) as room
    where private.is_room_member(room_id, me)
  ),
  visible as (
    select attached.place, private.file_json(attached.id, asset, attached.created_at) as file
    from attached
    join mine using (room_id)
    join public.media_assets as asset on asset.id = attached.asset_id
    where attached.seq > mine.hidden_seq
    union all
    -- My own that I have not sent yet.
    select asked.place, private.file_json(asset.id, asset, null)
    from asked
    join public.media_assets as asset using (id)
    where asset.owner_id = me and asset.state = 'verified'
  )
  select coalesce(jsonb_agg(file order by place), '[]') into found from visible;

  if p_require_all then
    select id into missing_id
    from unnest(p_attachment_ids) as id
    where not exists (select from jsonb_array_elements(found) as file where (file ->> 'attachment_id')::uuid = id)
    limit 1;
    if missing_id is not null then
      -- Somebody who is in the chat learns that the file is not there, somebody else that the chat is not theirs.
      perform private.require_room_member(room_id) from public.message_attachments where id = missing_id;
      perform private.refuse('attachment_not_found');
    end if;
  end if;
  return found;
end;
$$;

create function private.room_attachments(p_room_id uuid)
returns jsonb
language plpgsql security definer set search_path = ''
as $$
declare
  files jsonb;
  file_count bigint;
  total_bytes bigint;
begin
  perform private.require_room_member(p_room_id);
  perform private.take_token(private.my_id(), 'archive', private.limit_of('archives_per_minute'), '1 minute');
  select coalesce(jsonb_agg(file order by seq, position), '[]'), count(*), coalesce(sum(size_bytes), 0)
  into files, file_count, total_bytes
  from (
    select
      message.seq,
      attachment.position,
      asset.size_bytes,
      private.file_json(attachment.id, asset, message.created_at) as file
    from public.message_attachments as attachment
    join public.chat_messages as message on message.id = attachment.message_id
    join public.media_assets as asset on asset.id = attachment.asset_id
    where attachment.room_id = p_room_id
      and not message.is_deleted
      and message.seq > private.hidden_up_to_seq(private.my_id(), p_room_id)
    -- One more tells that there are too many.
    limit private.limit_of('archive_files') + 1
  ) as seen;
  if file_count > private.limit_of('archive_files') or total_bytes > private.limit_of('archive_bytes') then
    perform private.refuse('archive_too_large');
  end if;
  return files;
end;
$$;

create function public.get_attachments(p_attachment_ids uuid[], p_require_all boolean default true)
returns jsonb
language plpgsql stable security invoker set search_path = ''
as $$
begin
  return private.get_attachments(p_attachment_ids, p_require_all);
end;
$$;

create function public.room_attachments(p_room_id uuid)
returns jsonb
language plpgsql security invoker set search_path = ''
as $$
begin
  return private.room_attachments(p_room_id);
end;
$$;

-- Functions: for everybody
create function private.delete_attachment(p_attachment_id uuid)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  message public.chat_messages;
begin
  -- An upload that was never sent.
  update public.media_assets
  set state = 'delete_requested'
  where id = p_attachment_id and owner_id = me and state in ('pending', 'verified');
  if found then
    return;
  end if;

  if not exists (select from public.message_attachments where id = p_attachment_id) then
    perform private.refuse('attachment_not_found');
  end if;
  message := private.lock_message((select message_id from public.message_attachments where id = p_attachment_id));
  if message.is_deleted or (p_attachment_id = any (message.attachment_ids)) is not true then
    perform private.refuse('attachment_not_found');
  end if;

  -- Without it nothing would be left: then the message goes, and can be brought back as any other.
  if message.attachment_ids = array[p_attachment_id] and coalesce(message.content, message.encrypted_content) is null then
    perform private.delete_messages(array[message.id], false, null);
    return;
  end if;

  -- Who may take the message away may take a file of it away.
  perform private.require_allowed(private.verdict_delete(message, false));
  delete from public.message_attachments where id = p_attachment_id;
  update public.chat_messages
  set
    attachment_ids = nullif(array_remove(attachment_ids, p_attachment_id), '{}'),
    is_edited = true,
    edited_at = clock_timestamp(),
    change_seq = private.next_change_seq(room_id)
  where id = message.id
  returning * into message;
  perform private.audit(message.room_id, message.id, 'delete_attachment');
  perform private.tell_room(message.room_id, 'message-edited', private.message_event(message));
end;
$$;

create function private.track_download(p_message_id uuid, p_attachment_ids uuid[], p_downloaded_at timestamptz)
returns void
language plpgsql security definer set search_path = ''
as $$
declare
  me uuid := private.require_me();
  message public.chat_messages := private.require_message(p_message_id);
begin
  -- <@ would take an empty list, and a null in it, for known.
  if message.is_deleted
    or (p_attachment_ids <@ message.attachment_ids and cardinality(p_attachment_ids) > 0) is not true
  then
    perform private.refuse('attachment_not_found');
  end if;
  perform private.take_token(me, 'download', private.limit_of('downloads_per_minute'), '1 minute');

  insert into public.message_downloads (user_id, attachment_id, downloaded_at, message_id)
  -- A telephone's clock may be wrong: nothing was downloaded in the future, or before it was there.
  select me, attachment_id, greatest(message.created_at, least(coalesce(p_downloaded_at, now()), now())), message.id
  from unnest(p_attachment_ids) as attachment_id
  on conflict do nothing;
end;
$$;

create function public.delete_attachment(p_attachment_id uuid)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.delete_attachment(p_attachment_id);
end;
$$;

create function public.track_download(
  p_message_id uuid, p_attachment_ids uuid[], p_downloaded_at timestamptz default null
)
returns void
language plpgsql security invoker set search_path = ''
as $$
begin
  perform private.track_download(p_message_id, p_attachment_ids, p_downloaded_at);
end;
$$;

-- Jobs
-- Uploads that were never sent, and those whose owner is gone.
create function private.sweep_uploads()
returns void
language plpgsql security definer set search_path = ''
as $$
begin
  update public.media_assets
  set state = 'delete_requested'
  where id in (
    select id
    from public.media_assets
    where state in ('pending', 'verified')
      and (
        created_at < now() - make_interval(hours => private.limit_of('upload_hours')::int)
        or owner_id is null
      )
    limit 1000
    -- Being sent at this moment.
    for update skip locked
  );
end;
$$;

select cron.schedule('sweep_uploads', '*/10 * * * *', 'select private.sweep_uploads()');

-- Policies
alter table public.media_assets enable row level security;
alter table public.message_attachments enable row level security;
alter table public.message_downloads enable row level security;

create policy "Members see the files of messages they may see"
on public.message_attachments for select to authenticated
using (
  room_id = any ((select private.my_room_ids())::uuid[])
  -- As the caller sees them: the policies on messages hold in here too.
  and exists (select from public.chat_messages as m where m.id = message_id and not m.is_deleted)
);

create policy "Users see what they upload and the files of their messages"
on public.media_assets for select to authenticated
using (
  owner_id = (select private.my_id()) and state in ('pending', 'verified')
  or exists (select from public.message_attachments as attachment where attachment.asset_id = media_assets.id)
);

create policy "Users see their own downloads"
on public.message_downloads for select to authenticated
using (user_id = (select private.my_id()));

-- The bucket. Its objects are named `uploads/<upload id>/<file name>`: the upload function makes the name, and it holds
-- for one file. There is no right to overwrite or delete: the cleaning function does that with its own key.
insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
values ('chat-attachments', 'chat-attachments', false, 52428800, private.attachment_mime_types());

create policy "Users upload the files they have announced"
on storage.objects for insert to authenticated
with check (
  bucket_id = 'chat-attachments'
  and exists (
    select
    from public.media_assets as asset
    -- As the caller sees them: what is pending, its owner alone.
    where asset.provider = 'supabase' and asset.public_id = objects.name and asset.state = 'pending'
  )
);

create policy "Users read what they upload and the files of their messages"
on storage.objects for select to authenticated
using (
  bucket_id = 'chat-attachments'
  -- As the caller sees them.
  and exists (
    select from public.media_assets as asset where asset.provider = 'supabase' and asset.public_id = objects.name
  )
);

-- Grants
revoke all on public.media_assets, public.message_attachments, public.message_downloads from anon, authenticated;
grant select on public.message_attachments, public.message_downloads to authenticated;
-- Not whose it is, and in which chat it was first: a file may have been forwarded to who sees it.
grant select (
  id, provider, public_id, resource_type, state, file_name, declared_mime_type, declared_size_bytes, mime_type, size_bytes,
  created_at, state_changed_at
) on public.media_assets to authenticated;
grant execute on function private.delete_attachment(uuid) to authenticated;
grant execute on function private.track_download(uuid, uuid[], timestamptz) to authenticated;
grant execute on function private.get_attachments(uuid[], boolean) to authenticated;
grant execute on function private.room_attachments(uuid) to authenticated;
grant execute on function public.delete_attachment(uuid) to authenticated;
grant execute on function public.get_attachments(uuid[], boolean) to authenticated;
grant execute on function public.room_attachments(uuid) to authenticated;
grant execute on function public.track_download(uuid, uuid[], timestamptz) to authenticated;
grant execute on function private.create_attachments(uuid, uuid, jsonb, public.media_provider) to service_role;
grant execute on function private.pending_uploads(uuid, uuid[]) to service_role;
grant execute on function private.verify_attachment(uuid, text, bigint) to service_role;
grant execute on function public.create_attachments(uuid, uuid, jsonb, public.media_provider) to service_role;
grant execute on function public.pending_uploads(uuid, uuid[]) to service_role;
grant execute on function public.verify_attachment(uuid, text, bigint) to service_role;

-- Comments
comment on table public.media_assets is 'A row per stored file. Rows of files that are gone stay for a month.';
comment on column public.media_assets.public_id is 'Where it lies: the public id at Cloudinary, the name in the bucket chat-attachments.';
comment on column public.media_assets.owner_id is 'Who uploaded it. Not for clients, and nor is room_id: a file may have been forwarded to who sees it.';
comment on column public.media_assets.room_id is 'The chat that it is, or was first, shown in. Null: whoever uploads it names the chat with the send.';
comment on column public.media_assets.declared_size_bytes is 'What the uploader promised at most; size_bytes is what arrived.';
comment on column public.media_assets.declared_mime_type is 'What the uploader promised; mime_type is what arrived.';
comment on column public.media_assets.state is
'pending: announced; verified: it is there, and what was promised; attached: a message shows it, or may be brought back with it; delete_requested: to be destroyed; gone: destroyed.';
comment on table public.message_attachments is 'The files of messages. Several may share one stored file.';
comment on column public.message_attachments.room_id is 'The message''s: it never moves.';
comment on table public.message_downloads is 'Who said to have downloaded what, and when.';
comment on function public.create_attachments(uuid, uuid, jsonb, public.media_provider) is
'For the upload function: announces files [{file_name, mime_type, size_bytes}] that this person is to upload for this chat, or for one that the send names when it is null, all or none; a size that is not said is the largest allowed. Answers {uploads: [{attachment_id, provider, public_id, resource_type, file_name, mime_type, size_bytes, max_bytes}], refused: [{file_name, error, message}]}; errors: file_name_invalid, file_type_not_allowed, file_empty, file_too_large. Refusals: room_not_found, not_a_member, stay_over, blocked, too_many_attachments, too_many_requests, too_much_unsent.';
comment on function public.pending_uploads(uuid, uuid[]) is
'For the upload function: which of these uploads of this person are still to be looked at: [{attachment_id, provider, public_id, resource_type, file_name, mime_type, size_bytes}]. Refusals: too_many_requests.';
comment on function public.verify_attachment(uuid, text, bigint) is
'For the upload function: says what really arrived. Answers {attachment_id, state, error, message}: verified, or delete_requested with the error file_type_not_allowed, file_empty or file_too_large, which is also more than was announced; once verified it stays so. Refusals: attachment_not_found.';
comment on function public.get_attachments(uuid[], boolean) is
'Where files lie that the caller may see, those of messages and one''s own uploads that are verified: [{attachment_id, provider, public_id, resource_type, file_name, mime_type, size_bytes, sent_at}], in the order of the ids. Links to them are made by the function attachments. Without p_require_all, what is not there is passed over. Refusals: not_signed_in, not_a_member, attachment_not_found.';
comment on function public.room_attachments(uuid) is
'The same of all files in a chat, in the order in which they were sent: at most 200, and 200 MB, ten times a minute. Refusals: not_signed_in, room_not_found, not_a_member, archive_too_large, too_many_requests.';
comment on function public.delete_attachment(uuid) is
'Takes a file off: an upload of one''s own that was not sent, or a file of a message that the caller may delete. The last file of a message without a text takes the message along. Refusals: not_signed_in, attachment_not_found, message_not_found, not_a_member, not_the_author, guest_window_over.';
comment on function public.track_download(uuid, uuid[], timestamptz) is
'Writes down that the caller downloaded these files of a message. Refusals: not_signed_in, message_not_found, not_a_member, attachment_not_found, too_many_requests.';
