-- Deleting, undoing, forwarding and clearing: a file is there for as long as a message shows it, or may be brought back with it.
begin;
select plan(31);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
select tests.create_room('bar', members => array['ana', 'ben']);

create temporary table uploads (name text, id uuid);
grant all on uploads to authenticated;
create function pg_temp.upload(p_name text) returns void
language plpgsql
as $$
declare
  made jsonb := public.create_attachments(
    tests.user_id('ana'),
    tests.room_id('lounge'),
    jsonb_build_array(jsonb_build_object('file_name', p_name, 'mime_type', 'image/png', 'size_bytes', 9))
  );
begin
  insert into uploads values (p_name, (made #>> '{uploads,0,attachment_id}')::uuid);
  perform public.verify_attachment((made #>> '{uploads,0,attachment_id}')::uuid, 'image/png', 7);
end;
$$;
create function pg_temp.id(p_name text) returns uuid language sql as $$ select id from uploads where name = p_name $$;
create function pg_temp.state(p_name text) returns text
language sql security definer
as $$ select state::text from public.media_assets where file_name = p_name $$;
-- The message that shows a file in a room.
create function pg_temp.message(p_name text, p_room text default 'lounge') returns uuid
language sql security definer
as $$
  select message_id
  from public.message_attachments as attachment
  join public.media_assets as asset on asset.id = asset_id
  where file_name = p_name and attachment.room_id = tests.room_id(p_room)
$$;
grant execute on all functions in schema pg_temp to authenticated;

select pg_temp.upload(name) from unnest(array['deleted', 'text', 'hard', 'shared', 'first', 'second', 'cleared']) as name;
select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), p_attachment_ids => array[pg_temp.id(name)])
from unnest(array['deleted', 'hard', 'shared']) as name;
select public.send_message(tests.room_id('lounge'), 'with a text', p_attachment_ids => array[pg_temp.id('text')]);

-- Deleting and undoing
select is(
  (select answer -> 'content' || (answer -> 'attachments') from public.delete_message(pg_temp.message('deleted')) as answer),
  '["[File deleted]"]', 'hotel.delete.text: a message of files alone, whose files show no longer'
);
select is(
  public.delete_message(pg_temp.message('text')) ->> 'content', '[Message and file(s) deleted]', 'hotel.delete.text: and with a text'
);
select is(
  public.get_messages(tests.room_id('lounge'), p_limit => 1)::jsonb #> '{0,attachments}', '[]', 'a page shows them no longer either'
);
select is_empty(
  $$ select id from public.media_assets where file_name in ('deleted', 'text') $$, 'nor do the tables'
);
select is(pg_temp.state('deleted'), 'attached', 'the files wait for as long as the delete can be undone');
select is(
  public.undo_delete_message(pg_temp.message('text')) #>> '{attachments,0,file_name}', 'text', 'hotel.undo: files come back'
);

select tests.as_owner();
update private.deleted_messages set undo_until = now() - interval '1 second';
select private.wipe_deleted_messages();
select is(pg_temp.state('deleted'), 'delete_requested', 'hotel.delete.files: after the grace period they are given up');
select is(pg_temp.state('text'), 'attached', 'what was brought back stays');

-- Forwarding
select tests.sign_in('ben');
select is(
  public.forward_message(pg_temp.message('shared'), array[tests.room_id('bar')]) #>> '{0,attachments,0,file_name}', 'shared',
  'mobile.forward: files are copied'
);
select tests.as_owner();
select results_eq(
  $$ select count(*), count(distinct asset_id), count(distinct a.id)
     from public.message_attachments as a join public.media_assets as asset on asset.id = asset_id
     where file_name = 'shared' $$,
  $$ values (2::bigint, 1::bigint, 2::bigint) $$,
  'as attachments of their own over one stored file'
);
select tests.sign_in('ana');
select public.delete_message(pg_temp.message('shared'));
select tests.as_owner();
update private.deleted_messages set undo_until = now() - interval '1 second';
select private.wipe_deleted_messages();
select is(pg_temp.state('shared'), 'attached', 'hotel.delete.files: a file that a live message still shows stays');
select tests.sign_in('ben');
select is(
  public.get_messages(tests.room_id('bar'))::jsonb #>> '{0,attachments,0,file_name}', 'shared', 'and that message shows it'
);
select public.delete_message(pg_temp.message('shared', 'bar'));
select tests.as_owner();
update private.deleted_messages set undo_until = now() - interval '1 second';
select private.wipe_deleted_messages();
select is(pg_temp.state('shared'), 'delete_requested', 'until the last one is gone');

-- For good
update public.chat_room_members set role = 'admin' where user_id = tests.user_id('ana');
select tests.sign_in('ana');
select public.delete_message(pg_temp.message('hard'), p_hard => true);
select is(pg_temp.state('hard'), 'delete_requested', 'a hard delete waits for nothing');

-- One of several
select public.send_message(
  tests.room_id('lounge'), p_attachment_ids => array[pg_temp.id('first'), pg_temp.id('second')]
);
create temporary table sent as select pg_temp.message('first') as id;
select tests.sign_in('ben');
select tests.refuses(
  $$ select public.delete_attachment(pg_temp.id('first')) $$, 'not_the_author', 'staff.attachment: not by just anybody'
);
select tests.refuses(
  $$ select public.delete_attachment(gen_random_uuid()) $$, 'attachment_not_found', 'nor what is not there'
);
select tests.sign_in('ana');
select lives_ok($$ select public.delete_attachment(pg_temp.id('first')) $$, 'staff.attachment: its uploader takes a file off');
select is(pg_temp.state('first'), 'delete_requested', 'it is given up at once');
select results_eq(
  $$ select attachment ->> 'file_name', message ->> 'is_edited', (message ->> 'change_seq')::bigint > 0
     from private.my_message_json((select id from sent)) as message, jsonb_array_elements(message -> 'attachments') as attachment $$,
  $$ values ('second', 'true', true) $$,
  'the message shows what is left, and that it changed'
);
select tests.refuses(
  $$ select public.delete_attachment(pg_temp.id('first')) $$, 'attachment_not_found', 'it is taken off once'
);
select lives_ok($$ select public.delete_attachment(pg_temp.id('second')) $$, 'the last one takes the message along');
select is(
  (select content from public.chat_messages where id = (select id from sent)), '[File deleted]', 'which shows its placeholder'
);
select tests.refuses(
  $$ select public.delete_attachment(pg_temp.id('second')) $$, 'attachment_not_found', 'a deleted message has no file to take off'
);
select is(
  public.undo_delete_message((select id from sent)) #>> '{attachments,0,file_name}', 'second', 'and it can be brought back with it'
);
select lives_ok($$ select public.delete_attachment(pg_temp.id('cleared')) $$, 'an upload that was not sent is given up');
select tests.as_owner();
select is(
  (select count(*) from realtime.messages where event = 'message-edited'), 1::bigint, 'the room hears of the file that went'
);
select is(
  (select count(*) from public.message_audit where action = 'delete_attachment'), 1::bigint, 'and it is written down'
);

-- The end of a room
delete from public.chat_rooms where id = tests.room_id('lounge');
select is(pg_temp.state('text'), 'delete_requested', 'a room that ends gives its files up');
select is(pg_temp.state('second'), 'delete_requested', 'all of them');
select is((select count(*) from public.media_assets), 7::bigint, 'and none is forgotten');
select tests.sign_out();
select throws_ok($$ select public.delete_attachment(gen_random_uuid()) $$, '42501', null, 'nobody who is not signed in takes anything off');

select * from finish();
rollback;
