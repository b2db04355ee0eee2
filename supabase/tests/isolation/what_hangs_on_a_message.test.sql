-- Files, mentions and reactions are seen with their message, in the plain tables too.
begin;
select plan(5);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
create temporary table files as
select (upload ->> 'attachment_id')::uuid as id, upload ->> 'file_name' as content
from jsonb_array_elements(
  public.create_attachments(
    tests.user_id('ana'),
    tests.room_id('lounge'),
    '[{"file_name": "@ben, cleared", "mime_type": "image/png", "size_bytes": 9},
      {"file_name": "@ben, deleted", "mime_type": "image/png", "size_bytes": 9},
      {"file_name": "@ben, shown", "mime_type": "image/png", "size_bytes": 9}]'
  ) -> 'uploads'
) as upload;
select public.verify_attachment(id, 'image/png', 9) from files;
grant select on files to authenticated;

select tests.sign_in('ana');
select public.send_message(tests.room_id('lounge'), content, p_attachment_ids => array[id]) from files order by content;
insert into public.message_reactions (message_id, emoji) select id, '👍' from public.chat_messages;
create temporary table messages as select id, content from public.chat_messages;
grant select on messages to authenticated;
select public.delete_message(id) from messages where content = '@ben, deleted';
select tests.as_owner();
update public.user_chat_preferences set cleared_seq = 1 where user_id = tests.user_id('ben');

select tests.sign_in('ben');
select results_eq(
  format('select content from public.%I join messages on messages.id = message_id', relation), array['@ben, shown'], relation
)
from unnest(array['message_attachments', 'message_mentions', 'message_reactions']) as relation;
select results_eq('select file_name from public.media_assets', array['@ben, shown'], 'and the stored file with its attachment');
select tests.sign_in('ana');
select set_eq(
  'select file_name from public.media_assets', array['@ben, cleared', '@ben, shown'], 'not to who sent it either, once it is deleted'
);

select * from finish();
rollback;
