-- Files are seen by those who see the message, and by who uploads them until they are sent; also in Storage.
begin;
select plan(29);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
create temporary table uploads as
select upload ->> 'file_name' as name, (upload ->> 'attachment_id')::uuid as id, upload ->> 'public_id' as path
from jsonb_array_elements(
  public.create_attachments(
    tests.user_id('ana'),
    tests.room_id('lounge'),
    '[{"file_name": "sent.png", "mime_type": "image/png", "size_bytes": 9},
      {"file_name": "pending.png", "mime_type": "image/png", "size_bytes": 9}]',
    'supabase'
  ) -> 'uploads'
) as upload;
grant select on uploads to authenticated;

select is_empty($$ select from storage.buckets where id = 'chat-attachments' and public $$, 'the bucket is private');
select tests.sign_in('ben');
select throws_ok(
  $$ insert into storage.objects (bucket_id, name) select 'chat-attachments', path from uploads where name = 'sent.png' $$,
  '42501', null, 'messaging.upload: nobody else uploads to a key'
);
select tests.sign_in('ana');
select throws_ok(
  $$ insert into storage.objects (bucket_id, name)
     values ('chat-attachments', tests.user_id('ana')::text || '/' || gen_random_uuid()::text || '/x.png') $$,
  '42501', null, 'nor to a key that was not announced'
);
select throws_ok(
  $$ insert into storage.objects (bucket_id, name) select 'avatars', path from uploads where name = 'sent.png' $$,
  '42501', null, 'nor in another bucket'
);
select lives_ok(
  $$ insert into storage.objects (bucket_id, name) select 'chat-attachments', path from uploads $$, 'its owner does'
);
select results_eq(
  $$ select count(*) from storage.objects where bucket_id = 'chat-attachments' $$, array[2::bigint], 'and reads it'
);
select results_eq(
  $$ with changed as (update storage.objects set metadata = '{}' returning 1) select count(*) from changed $$,
  array[0::bigint], 'but does not write it again'
);
select tests.sign_in('ben');
select is_empty($$ select name from storage.objects $$, 'what is not sent nobody else reads');
select is_empty($$ select id from public.media_assets $$, 'or knows of');

select tests.as_owner();
select public.verify_attachment(id, 'image/png', 7) from uploads where name = 'sent.png';
select tests.sign_in('ana');
select throws_ok(
  $$ insert into storage.objects (bucket_id, name) select 'chat-attachments', path from uploads where name = 'sent.png' $$,
  '42501', null, 'the key is usable once'
);
select public.send_message(tests.room_id('lounge'), 'look', p_attachment_ids => array(select id from uploads where name = 'sent.png'));
select is(
  (select count(*) from public.media_assets), 2::bigint, 'who uploads sees what is sent and what is not'
);

select tests.as_owner();
insert into uploads
select 'cloud.png', (created #>> '{uploads,0,attachment_id}')::uuid, created #>> '{uploads,0,public_id}'
from public.create_attachments(
  tests.user_id('ana'), tests.room_id('lounge'), '[{"file_name": "cloud.png", "mime_type": "image/png", "size_bytes": 9}]'
) as created;
select tests.sign_in('ana');
select throws_ok(
  $$ insert into storage.objects (bucket_id, name) select 'chat-attachments', path from uploads where name = 'cloud.png' $$,
  '42501', null, 'what is announced for Cloudinary has no key here'
);
select tests.as_owner();
insert into storage.buckets (id, name) values ('avatars', 'avatars');
insert into storage.objects (bucket_id, name)
select 'avatars', path from uploads where name = 'sent.png'
union all
select 'chat-attachments', path from uploads where name = 'cloud.png';
select tests.sign_in('ana');
select results_eq(
  $$ select name from storage.objects order by name $$, $$ select path from uploads where name <> 'cloud.png' order by path $$,
  'and nothing of another bucket is read, or of another provider'
);

select tests.sign_in('ben');
select results_eq(
  $$ select asset.file_name from public.message_attachments join public.media_assets as asset on asset.id = asset_id $$,
  array['sent.png'], 'a member sees the file of a message'
);
select results_eq(
  $$ select name from storage.objects $$, $$ select path from uploads where name = 'sent.png' $$, 'and reads it'
);
select throws_ok(
  $$ select owner_id from public.media_assets $$, '42501', null, 'but is not told whose it is: it may have been forwarded'
);
select throws_ok($$ select room_id from public.media_assets $$, '42501', null, 'nor which chat it was first in');
select is_empty(
  $$ select from uploads where path like '%' || tests.user_id('ana') || '%' or path like '%' || tests.room_id('lounge') || '%' $$,
  'nor does its place say so'
);
select lives_ok(
  $$ select public.track_download(
       (select message_id from public.message_attachments), array[(select id from public.message_attachments)], '2020-01-01'
     ) $$,
  'hotel.download: and says to have downloaded it'
);
select tests.refuses(
  $$ select public.track_download((select message_id from public.message_attachments), array[gen_random_uuid()]) $$,
  'attachment_not_found', 'hotel.download: an unknown file'
);
select tests.refuses(
  $$ select public.track_download((select message_id from public.message_attachments), ids) from (values ('{}'::uuid[]), (null)) as v (ids) $$,
  'attachment_not_found', 'hotel.download: none'
);
select tests.refuses(
  $$ select public.track_download(gen_random_uuid(), array[gen_random_uuid()]) $$,
  'message_not_found', 'hotel.download: of an unknown message'
);
select results_eq(
  $$ select user_id, downloaded_at >= now() - interval '1 minute' from public.message_downloads $$,
  $$ values (tests.user_id('ben'), true) $$, 'at a time when it was there'
);

select tests.sign_in('eve');
select is_empty($$ select id from public.message_attachments $$, 'a stranger sees no files of messages');
select is_empty($$ select id from public.media_assets $$, 'and no stored ones');
select is_empty($$ select name from storage.objects $$, 'and reads none');
select is_empty($$ select user_id from public.message_downloads $$, 'and nobody else''s downloads');

select tests.as_owner();
update public.chat_rooms set floor_seq = last_seq where id = tests.room_id('lounge');
update public.user_chat_preferences set cleared_seq = 1 where user_id = tests.user_id('ben');
select tests.sign_in('ben');
select is_empty($$ select id from public.media_assets $$, 'who may not see the message may not see its file');
select throws_ok(
  $$ update public.media_assets set state = 'gone' $$, '42501', null, 'no client changes a file'
);

select * from finish();
rollback;
