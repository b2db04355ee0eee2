-- What somebody wrote stays when the account ends, without its sender; for who syncs that is a change. Where the organization
-- wants it, it goes for good.
begin;
select plan(22);

select tests.create_user(name) from unnest(array['ana', 'ben', 'col']) as name;
insert into public.organizations (slug, name, wipe_messages_of_deleted_accounts) values ('grand', 'Grand', true), ('inn', 'Inn', false);
insert into public.organization_members (organization_id, user_id, role)
select o.id, tests.user_id(person), 'admin' from public.organizations as o, unnest(array['ana', 'ben']) as person;
select tests.create_room(title, members => array['ana', 'ben']) from unnest(array['grand', 'inn', 'park']) as title;
update public.chat_rooms as r set organization_id = o.id from public.organizations as o where o.slug = r.title;
create function pg_temp.id(p_content text) returns uuid language sql security definer as $$
  select id from public.chat_messages where content = p_content
$$;
create function pg_temp.file(p_room text) returns uuid language sql security definer as $$
  select id from public.media_assets where room_id = tests.room_id(p_room)
$$;
grant execute on all functions in schema pg_temp to authenticated;
select public.verify_attachment((upload #>> '{uploads,0,attachment_id}')::uuid, 'image/png', 9)
from unnest(array['grand', 'inn']) as title,
  public.create_attachments(tests.user_id('ana'), tests.room_id(title), '[{"file_name": "a.png", "mime_type": "image/png", "size_bytes": 9}]') as upload;

select tests.sign_in('ben');
select public.send_message(tests.room_id(title), 'hello @ana in ' || title) from unnest(array['grand', 'inn', 'park']) as title;
select tests.sign_in('ana');
select public.send_message(tests.room_id('grand'), 'kept by a copy');
select public.forward_message(pg_temp.id('kept by a copy'), array[tests.room_id('inn')]);
select public.send_message(tests.room_id(title), 'first in ' || title) from unnest(array['grand', 'inn', 'park']) as title;
select public.send_message(tests.room_id(title), 'file in ' || title, p_attachment_ids => array[pg_temp.file(title)])
from unnest(array['grand', 'inn']) as title;
select tests.sign_in('ben');
select public.add_reaction(pg_temp.id('first in grand'), '👍');
select public.send_message(tests.room_id(title), 'answer in ' || title, p_reply_to_id => pg_temp.id('first in ' || title))
from unnest(array['grand', 'inn']) as title;
select public.mark_read(tests.room_id('park'));
select tests.sign_in('ana');
select public.send_message(tests.room_id('grand'), 'last in grand @ben');
select public.delete_message(pg_temp.id('first in park'));
select tests.as_owner();
-- She wrote in a room that she has left, too.
select tests.sign_in('ana');
select public.delete_chat(tests.room_id('inn'));
select tests.as_owner();
create temporary table before as select * from public.chat_messages;
grant select on before to authenticated;
create temporary table rooms_before as select id, title, last_change_seq, topic from public.chat_rooms;
create temporary table ana as select tests.user_id('ana') as id;
create temporary table synced as select jsonb_object_agg(id, jsonb_build_object('seq', last_seq, 'change_seq', last_change_seq)) as cursors from public.chat_rooms;
grant select on synced to authenticated;
delete from auth.users where id = (select id from ana);

select is_empty($$ select from public.chat_messages where sender_id = (select id from ana) $$, 'nobody has written it');
select results_eq(
  $$ select content from public.chat_messages where room_id = tests.room_id('inn') and sender_id is null order by seq $$,
  $$ values ('kept by a copy'), ('first in inn'), ('file in inn') $$, 'it stays, also a copy of what goes'
);
select results_eq(
  $$ select content, is_deleted, deleted_by, metadata, is_encrypted from public.chat_messages
     where room_id = tests.room_id('grand') and sender_id is null order by seq $$,
  $$ select content, true, null::uuid, '{}'::jsonb, false
     from unnest(array['[Message deleted]', '[Message deleted]', '[Message and file(s) deleted]', '[Message deleted]']) as content $$,
  'but for placeholders nothing of it stays where the organization wants that'
);
select is_empty($$ select from private.deleted_messages join public.chat_messages as m on m.id = message_id where room_id = tests.room_id('grand') $$, 'not to be brought back');
select is_empty(
  $$ select from public.message_reactions union all select from public.message_mentions where room_id = tests.room_id('grand')
     union all select from public.message_attachments where room_id = tests.room_id('grand') $$,
  'nor what hung on it'
);
select results_eq(
  $$ select r.title, a.state::text from public.media_assets as a join public.chat_rooms as r on r.id = a.room_id order by 1 $$,
  $$ values ('grand', 'delete_requested'), ('inn', 'attached') $$, 'its files are destroyed, and no others'
);
select is((select count(*) from pgmq.q_media_cleanup), 1::bigint, 'by a job');
select is((select content from public.chat_messages as m join public.chat_rooms as r on r.last_message_id = m.id where r.title = 'grand'), 'answer in grand', 'the last message is another''s');
select results_eq(
  $$ select room_id, message_id, actor_id, action from public.message_audit where action like 'wipe%' $$,
  $$ values (tests.room_id('grand'), null::uuid, null::uuid, 'wipe_account') $$, 'and it is written down'
);
select is_empty(
  $$ select title from public.chat_rooms as r join rooms_before as b using (id, title) where b.topic = r.topic and title <> 'inn' $$,
  'every room moves to another topic, where who is there syncs'
);

-- What a sync tells
select is_empty(
  $$ select m.content from before as b join public.chat_messages as m using (id)
     where b.sender_id = (select id from ana) and m.change_seq <= (select last_change_seq from rooms_before as r where r.id = m.room_id) $$,
  'each is a change'
);
select is_empty(
  $$ select room_id, change_seq from public.chat_messages where change_seq > 0 group by 1, 2 having count(*) > 1 $$, 'with a number of its own'
);
select is_empty(
  $$ select title from public.chat_rooms as r where last_change_seq < (select max(change_seq) from public.chat_messages where room_id = r.id) $$,
  'that the room has counted'
);
select tests.sign_in('ben');
create temporary table told as
select m from jsonb_array_elements(public.sync_messages((select cursors from synced))::jsonb -> 'changed') as m;
select set_eq(
  $$ select m ->> 'content' from told where m -> 'sender' = 'null' and m ->> 'room_id' = tests.room_id('inn')::text $$,
  array['kept by a copy', 'first in inn', 'file in inn'], 'who syncs learns that there is no sender'
);
select is(
  (select m -> 'mentions' from told where m ->> 'content' = 'hello @ana in inn'), '[]', 'that nobody is mentioned any more'
);
select is(
  (select m #>> '{reply_to,content}' from told where m ->> 'content' = 'answer in grand'), '[Message deleted]', 'what an answer quotes now'
);
select is(
  (select m #> '{reply_to,sender_id}' from told where m ->> 'content' = 'answer in inn'), 'null', 'and that nobody said it'
);
select tests.as_owner();
delete from public.chat_rooms where title = 'grand';
select is(
  (select forwarded_from from public.chat_messages where content = 'kept by a copy'), (select id from before where content = 'kept by a copy' and seq = 2 and forwarded_from is null),
  'a copy says that it is one, after what it is a copy of is gone'
);

-- The rest goes on.
select tests.sign_in('ben');
select is(public.calculate_unread_count(tests.user_id('ben'), tests.room_id('inn')), 3, 'what was unread is');
select lives_ok($$ select public.send_message(tests.room_id('park'), 'she is gone') $$, 'who stays writes on');
select tests.as_owner();
select is((select sum(messages) from private.uncounted_messages where room_id = tests.room_id('park') and block_size = 64 and sender_id = '00000000-0000-0000-0000-000000000000'), 1::numeric, 'what did not count still does not');
select is((select uncounted_messages from public.chat_rooms where title = 'park'), 1::bigint, 'in the room''s own sum too');

select * from finish();
rollback;
