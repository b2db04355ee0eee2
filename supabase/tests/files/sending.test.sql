-- Messages with files: what is attached, by whom, and how it looks.
begin;
select plan(30);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.create_room('bar', members => array['ana', 'ben']);

create temporary table uploads (name text, id uuid);
grant all on uploads to authenticated;
create function pg_temp.upload(p_who text, p_room text, p_name text, p_arrives boolean default true)
returns void
language plpgsql
as $$
declare
  made jsonb := public.create_attachments(
    tests.user_id(p_who),
    tests.room_id(p_room),
    jsonb_build_array(jsonb_build_object('file_name', p_name, 'mime_type', 'image/png', 'size_bytes', 9))
  );
begin
  insert into uploads values (p_name, (made #>> '{uploads,0,attachment_id}')::uuid);
  if p_arrives then
    perform public.verify_attachment((made #>> '{uploads,0,attachment_id}')::uuid, 'image/png', 7);
  end if;
end;
$$;
create function pg_temp.id(p_name text) returns uuid language sql as $$ select id from uploads where name = p_name $$;
grant execute on function pg_temp.id(text) to authenticated;

select pg_temp.upload('ana', 'lounge', name) from unnest(array['one', 'two', 'three', 'four', 'five']) as name;
select pg_temp.upload('ana', 'lounge', 'pending', p_arrives => false);
select pg_temp.upload('ana', 'bar', 'elsewhere');
select pg_temp.upload('ben', 'lounge', 'bens');
select pg_temp.upload('ana', 'lounge', 'given up');
update public.media_assets set state = 'delete_requested' where id = pg_temp.id('given up');

select tests.sign_in('ana');
create temporary table answers (n int, answer jsonb);
insert into answers
select
  n,
  public.send_message(
    tests.room_id('lounge'),
    p_attachment_ids => array[pg_temp.id('two'), pg_temp.id('one'), pg_temp.id('two'), null],
    p_client_id => '00000000-0000-4000-8000-0000000000c1'
  )
from generate_series(1, 2) as n;
select is(
  (select answer #> '{message,attachments}' from answers where n = 1),
  jsonb_build_array(
    jsonb_build_object(
      'id', pg_temp.id('two'), 'file_name', 'two', 'mime_type', 'image/png', 'size_bytes', 7, 'url', null,
      'thumbnail_url', null
    ),
    jsonb_build_object(
      'id', pg_temp.id('one'), 'file_name', 'one', 'mime_type', 'image/png', 'size_bytes', 7, 'url', null,
      'thumbnail_url', null
    )
  ),
  'a message shows its files in their order, each once, as they arrived'
);
select is((select answer #>> '{message,content}' from answers where n = 1), null, 'and needs no text');
select is(
  (select answer from answers where n = 2), (select answer from answers where n = 1), 'a retried send answers the same'
);
select is(
  public.get_messages(tests.room_id('lounge'))::jsonb -> 0, (select answer -> 'message' from answers where n = 1), 'and so does a page'
);
select results_eq(
  $$ select state::text from public.media_assets where file_name in ('one', 'two') $$, array['attached', 'attached'],
  'its files are attached'
);
select tests.refuses(
  $$ select public.send_message(
       tests.room_id('lounge'),
       p_attachment_ids => array[pg_temp.id('two')],
       p_client_id => '00000000-0000-4000-8000-0000000000c1'
     ) $$,
  'client_id_reused', 'the same client id with other files is an error'
);
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), p_client_id => '00000000-0000-4000-8000-0000000000c1') $$,
  'content_required', 'and without any'
);

select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), p_attachment_ids => array[pg_temp.id('three'), pg_temp.id('two')]) $$,
  'attachment_used', 'a file is sent once'
);
select is(
  (select state::text from public.media_assets where id = pg_temp.id('three')), 'verified',
  'a send that is refused attaches none of its files'
);
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), p_attachment_ids => array[pg_temp.id('pending')]) $$,
  'attachment_not_verified', 'nothing is sent before it is verified'
);
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), p_attachment_ids => array[pg_temp.id('elsewhere')]) $$,
  'attachment_not_found', 'nor what was uploaded for another chat'
);
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), p_attachment_ids => array[pg_temp.id('bens')]) $$,
  'attachment_not_found', 'nor what somebody else uploaded'
);
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), p_attachment_ids => array[pg_temp.id('given up')]) $$,
  'attachment_not_found', 'nor what was given up'
);
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), p_attachment_ids => array[gen_random_uuid()]) $$,
  'attachment_not_found', 'nor what was never uploaded'
);
select tests.refuses(
  $$ select public.send_message(
       tests.room_id('lounge'), p_attachment_ids => array(select gen_random_uuid() from generate_series(1, 11))
     ) $$,
  'too_many_attachments', 'nor more than ten at once'
);
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), p_attachment_ids => '{}') $$,
  'content_required', 'no file and no text is no message'
);
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), '', p_attachment_ids => array[null]::uuid[]) $$,
  'content_required', 'nor is an empty list of them'
);
select is(
  public.send_message(tests.room_id('lounge'), 'plain', p_attachment_ids => '{}') #> '{message,attachments}', '[]',
  'a text alone has no files'
);

-- Plain inserts
select lives_ok(
  $$ insert into public.chat_messages (room_id, content, message_type, attachment_ids)
     values (tests.room_id('lounge'), '', 'image', array[pg_temp.id('three')]) $$,
  'a plain insert sends a file too'
);
select tests.refuses(
  $$ insert into public.chat_messages (room_id, attachment_ids) values (tests.room_id('lounge'), array[pg_temp.id('three')]) $$,
  'attachment_used', 'by the same rules'
);
select tests.refuses(
  $$ insert into public.chat_messages (room_id, attachment_ids)
     values (tests.room_id('lounge'), array[pg_temp.id('four')]), (tests.room_id('lounge'), array[pg_temp.id('four')]) $$,
  'attachment_used', 'also within one insert'
);
select tests.as_owner();
select is(
  (
    select payload #>> '{message,attachments,0,file_name}'
    from realtime.messages
    where event = 'new-message' and payload #>> '{message,message_type}' = 'image'
  ),
  'three', 'the event holds the files'
);

-- Editing
select tests.sign_in('ana');
create temporary table sent as
select (answer #>> '{message,id}')::uuid as id from answers where n = 1;
select is(public.edit_message((select id from sent), 'look') ->> 'content', 'look', 'a text is put to files');
select is(public.edit_message((select id from sent), '') ->> 'content', null, 'and taken away');
select is(
  jsonb_array_length(public.edit_message((select id from sent), '') -> 'attachments'), 2, 'the files stay as they are'
);
select is(
  public.send_message(
    tests.room_id('lounge'),
    p_attachment_ids => array[pg_temp.id('two'), pg_temp.id('one')],
    p_client_id => '00000000-0000-4000-8000-0000000000c1'
  ) #>> '{message,id}',
  (select id::text from sent), 'an edited message is known by its client id still'
);

-- What the hotel allows
select tests.as_owner();
insert into public.organizations (id, name, slug, max_attachments, max_attachment_bytes)
values ('00000000-0000-4000-8000-0000000000f1', 'Small', 'small', 1, 10);
update public.chat_rooms set organization_id = '00000000-0000-4000-8000-0000000000f1' where id = tests.room_id('lounge');
select is(
  public.create_attachments(
    tests.user_id('ana'), tests.room_id('lounge'), '[{"file_name": "a.png", "mime_type": "image/png", "size_bytes": 11}]'
  ) #>> '{refused,0,error}',
  'file_too_large', 'an organization may allow less'
);
select tests.sign_in('ana');
select tests.refuses(
  $$ select public.send_message(tests.room_id('lounge'), p_attachment_ids => array[pg_temp.id('four'), pg_temp.id('five')]) $$,
  'too_many_attachments', 'and fewer'
);
select lives_ok(
  $$ select public.send_message(tests.room_id('lounge'), p_attachment_ids => array[pg_temp.id('four')]) $$, 'one it allows'
);
select tests.sign_out();
select throws_ok(
  $$ select public.send_message(tests.room_id('lounge'), p_attachment_ids => array[pg_temp.id('five')]) $$,
  '42501', null, 'nobody who is not signed in sends anything'
);

select * from finish();
rollback;
