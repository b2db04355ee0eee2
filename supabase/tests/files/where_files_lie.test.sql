-- Who is told where a file lies, so that a link to it can be signed: whoever sees its message, and who uploads it.
begin;
select plan(27);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.create_room('bar', members => array['ana', 'ben']);
create temporary table files (name text, id uuid);
grant all on files to authenticated;
create function pg_temp.upload(p_name text, p_room_id uuid default null, p_arrives boolean default true)
returns void
language plpgsql security definer
as $$
declare
  made jsonb := public.create_attachments(
    tests.user_id('ana'),
    p_room_id,
    jsonb_build_array(jsonb_build_object('file_name', p_name, 'mime_type', 'image/png', 'size_bytes', 9)),
    case when p_room_id is null then 'supabase' else 'cloudinary' end::public.media_provider
  );
begin
  insert into files values (p_name, (made #>> '{uploads,0,attachment_id}')::uuid);
  if p_arrives then
    perform public.verify_attachment((made #>> '{uploads,0,attachment_id}')::uuid, 'image/png', 7);
  end if;
end;
$$;
create function pg_temp.ids(variadic p_names text[]) returns uuid[] language sql as $$
  select array_agg(id order by array_position(p_names, name)) from files where name = any (p_names)
$$;
create function pg_temp.seen(p_files jsonb) returns text language sql as $$
  select string_agg(file ->> 'file_name', ' ' order by place) from jsonb_array_elements(p_files) with ordinality as f (file, place)
$$;
grant execute on all functions in schema pg_temp to authenticated;

select pg_temp.upload(name, tests.room_id('lounge')) from unnest(array['one', 'two', 'unsent']) as name;
select pg_temp.upload('unarrived', tests.room_id('lounge'), p_arrives => false);
select pg_temp.upload('later');

select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), p_attachment_ids => pg_temp.ids('one', 'two'));
select is(
  public.get_attachments(pg_temp.ids('one')) -> 0 #- '{sent_at}',
  (
    select jsonb_build_object(
      'attachment_id', id,
      'provider', 'cloudinary',
      'public_id', format('parley/%s', id),
      'resource_type', 'image',
      'file_name', 'one',
      'mime_type', 'image/png',
      'size_bytes', 7
    )
    from files where name = 'one'
  ),
  'where a file lies, and what it is'
);
select is(
  (public.get_attachments(pg_temp.ids('one')) #>> '{0,sent_at}')::timestamptz,
  (select created_at from public.chat_messages), 'and when it was sent'
);
select is(
  pg_temp.seen(public.get_attachments(pg_temp.ids('unsent', 'two', 'one'))), 'unsent two one',
  'who uploaded it may look at it before it is sent; they come in the order of the ids'
);
select is(
  pg_temp.seen(public.get_attachments(pg_temp.ids('one') || pg_temp.ids('one'))), 'one', 'each once'
);
select tests.refuses(
  $$ select public.get_attachments(pg_temp.ids('unarrived')) $$, 'attachment_not_found', 'what has not arrived is nowhere'
);

select tests.sign_in('ben');
select is(pg_temp.seen(public.get_attachments(pg_temp.ids('one', 'two'))), 'one two', 'a member sees the files of messages');
select tests.refuses(
  $$ select public.get_attachments(pg_temp.ids('one', 'unsent')) $$, 'attachment_not_found', 'and nobody else''s uploads'
);
select is(
  pg_temp.seen(public.get_attachments(pg_temp.ids('one', 'unsent'), false)), 'one',
  'who does not ask for all is told of those that are there'
);
select is(pg_temp.seen(public.room_attachments(tests.room_id('lounge'))), 'one two', 'hotel.archive: all of a chat');
select is(public.room_attachments(tests.room_id('bar')), '[]', 'hotel.archive: of which there may be none');

select tests.sign_in('eve');
select tests.refuses($$ select public.get_attachments(pg_temp.ids('one')) $$, 'not_a_member', 'a stranger is told nothing');
select is(public.get_attachments(pg_temp.ids('one'), false), '[]', 'nothing at all');
select tests.refuses(
  $$ select public.get_attachments(array[gen_random_uuid()]) $$, 'attachment_not_found', 'what is not there is not there'
);
select tests.refuses(
  $$ select public.room_attachments(tests.room_id('lounge')) $$, 'not_a_member', 'hotel.archive: not for strangers'
);

-- An upload without a chat goes to the one that it is sent to, once.
select tests.sign_in('ana');
select public.send_message(tests.room_id('bar'), 'the key', p_attachment_ids => pg_temp.ids('later'));
select tests.as_owner();
select is(
  (select room_id from public.media_assets where file_name = 'later'), tests.room_id('bar'), 'messaging.upload: sent to any chat'
);
select tests.sign_in('ana');
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), 'again', p_attachment_ids => pg_temp.ids('later')) $$,
  'attachment_not_found', 'messaging.upload: and then to no other'
);
select tests.refuses(
  $$ select public.send_message(tests.room_id('bar'), 'again', p_attachment_ids => pg_temp.ids('later')) $$,
  'attachment_used', 'messaging.upload: nor to the same again'
);
select tests.sign_in('ben');
select is(pg_temp.seen(public.get_attachments(pg_temp.ids('later'))), 'later', 'messaging.upload: its members see it');

select tests.as_owner();
select pg_temp.upload('large');
update private.limits set value = 6 where name = 'attachment_bytes';
select tests.sign_in('ana');
select tests.refuses(
  $$ select public.send_message(tests.room_id('bar'), p_attachment_ids => pg_temp.ids('large')) $$,
  'file_too_large', 'messaging.upload: not where only smaller ones may be sent'
);
select tests.as_owner();
update private.limits set value = 7 where name = 'attachment_bytes';
select tests.sign_in('ana');
select lives_ok(
  $$ select public.send_message(tests.room_id('bar'), p_attachment_ids => pg_temp.ids('large')) $$, 'messaging.upload: up to there'
);
select tests.sign_in('ben');

-- What is hidden with its message
select public.clear_chat(tests.room_id('lounge'));
select tests.refuses(
  $$ select public.get_attachments(pg_temp.ids('one')) $$, 'attachment_not_found', 'who cleared the chat sees its files no more'
);
select is(public.room_attachments(tests.room_id('lounge')), '[]', 'hotel.archive: nor has them in an archive');
select tests.sign_in('ana');
select is(pg_temp.seen(public.room_attachments(tests.room_id('lounge'))), 'one two', 'the others do');
select public.delete_message((select id from public.chat_messages where content = 'the key'));
select tests.refuses(
  $$ select public.get_attachments(pg_temp.ids('later')) $$, 'attachment_not_found', 'a deleted message shows no files'
);

-- How much an archive holds
select tests.as_owner();
update private.limits set value = 1 where name = 'archive_files';
select tests.sign_in('ana');
select tests.refuses(
  $$ select public.room_attachments(tests.room_id('lounge')) $$, 'archive_too_large', 'hotel.archive: not too many files'
);
select tests.as_owner();
update private.limits set value = 2 where name = 'archive_files';
update private.limits set value = 13 where name = 'archive_bytes';
select tests.sign_in('ana');
select tests.refuses(
  $$ select public.room_attachments(tests.room_id('lounge')) $$, 'archive_too_large', 'hotel.archive: not too large ones'
);

select tests.refuses(
  $$ select public.room_attachments(tests.room_id('bar')) from generate_series(1, 20) $$,
  'too_many_requests', 'hotel.archive: not again and again'
);

select * from finish();
rollback;
