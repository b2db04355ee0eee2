-- What is written into the queues, and by what.
begin;
select plan(17);

select tests.create_user(name) from unnest(array['ana', 'ben']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);

select tests.sign_in('ana');
create temporary table sent as select (public.send_message(tests.room_id('lounge'), 'hello') ->> 'message_id')::uuid as id;
select tests.as_owner();
select results_eq(
  $$ select message, vt <= clock_timestamp() from pgmq.q_push $$,
  $$ select jsonb_build_object('message_id', id), true from sent $$,
  'staff.push: a message is a job, to be done at once'
);
select tests.sign_in('ana');
select public.edit_message((select id from sent), 'changed');
select public.delete_message((select id from sent));
select public.undo_delete_message((select id from sent));
select tests.as_owner();
insert into public.chat_messages (room_id, content, message_type) values (tests.room_id('lounge'), 'Ben came.', 'system');
select is((select count(*) from pgmq.q_push), 1::bigint, 'edits, deletes and what the system says are none');

create temporary table upload as
select public.create_attachments(
  tests.user_id('ana'), tests.room_id('lounge'), '[{"file_name": "a.png", "mime_type": "image/png", "size_bytes": 9}]'
) #> '{uploads,0}' as made;
select is((select count(*) from pgmq.q_media_cleanup), 0::bigint, 'a new file is no job');
select public.verify_attachment((made ->> 'attachment_id')::uuid, 'image/png', 9) from upload;
update public.media_assets set state = 'delete_requested';
select results_eq(
  $$ select message from pgmq.q_media_cleanup where vt <= clock_timestamp() $$,
  $$ select jsonb_build_object(
       'asset_id', made -> 'attachment_id', 'provider', 'cloudinary', 'public_id', made -> 'public_id', 'resource_type', 'image'
     ) from upload $$,
  'hotel.delete.files: one that is given up is'
);
update public.media_assets set state = 'gone';
select is((select count(*) from pgmq.q_media_cleanup), 1::bigint, 'one that is gone is no further one');
create temporary table unused as
select public.create_attachments(
  tests.user_id('ana'), tests.room_id('lounge'), '[{"file_name": "b.png", "mime_type": "image/png", "size_bytes": 9}]'
) #>> '{uploads,0,attachment_id}' as id;
update public.media_assets set state = 'delete_requested' where id = (select id::uuid from unused);
select results_eq(
  $$ select vt - clock_timestamp() between '2 hours' and '126 minutes' from pgmq.q_media_cleanup
     where message ->> 'asset_id' = (select id from unused) $$,
  array[true], 'one that may still be uploaded is to be destroyed when it no longer may'
);
delete from pgmq.q_media_cleanup where message ->> 'asset_id' = (select id from unused);
update public.media_assets set state = 'gone' where id = (select id::uuid from unused);
select private.purge_jobs();
select is((select count(*) from pgmq.q_media_cleanup), 1::bigint, 'what is gone is not sought again');

-- Calling the functions
select is_empty($$ select id from net.http_request_queue $$, 'nobody is called while the vault does not say whom');
select lives_ok($$ select private.kick_functions() $$, 'and that is no error');
select vault.create_secret('https://project.supabase.co/functions/v1/', 'parley_functions_url');
select vault.create_secret('a secret', 'parley_job_secret');

update private.job_queues set kicked_at = now() - interval '3 seconds';
insert into public.chat_messages (room_id, sender_id, content)
select tests.room_id('lounge'), tests.user_id('ana'), 'hello' from generate_series(1, 5);
select results_eq(
  $$ select method::text, url, headers ->> 'x-job-secret', convert_from(body, 'utf8')::jsonb from net.http_request_queue $$,
  $$ values ('POST', 'https://project.supabase.co/functions/v1/push-notifications', 'a secret', '{"queue": "push"}'::jsonb) $$,
  'several messages call their function once, which shows the secret'
);
select is((select count(*) from pgmq.q_push), 6::bigint, 'and each is a job');
update private.job_queues set kicked_at = now() - interval '3 seconds';
insert into public.chat_messages (room_id, sender_id, content) values (tests.room_id('lounge'), tests.user_id('ana'), 'hello');
select is((select count(*) from net.http_request_queue), 2::bigint, 'seconds later it is called again');

delete from net.http_request_queue;
select private.kick_functions();
select results_eq(
  $$ select url from net.http_request_queue order by url $$,
  array[
    'https://project.supabase.co/functions/v1/cloudinary-cleanup',
    'https://project.supabase.co/functions/v1/push-notifications'
  ],
  'the clock calls the function of each queue that has jobs'
);
delete from net.http_request_queue;
update pgmq.q_push set vt = clock_timestamp() + interval '1 minute';
select private.kick_functions();
select results_eq(
  $$ select url from net.http_request_queue $$, array['https://project.supabase.co/functions/v1/cloudinary-cleanup'],
  'but not while all of them are being done'
);

update private.job_queues set kicked_at = '-infinity';
alter table private.job_queues drop column function_name;
select lives_ok(
  $$ insert into public.chat_messages (room_id, sender_id, content) values (tests.room_id('lounge'), tests.user_id('ana'), 'hello') $$,
  'a call that fails keeps nobody from sending'
);
select is((select count(*) from pgmq.q_push), 8::bigint, 'and its job is there');

select isnt_empty(
  $$ select from cron.job where command = 'select private.kick_functions()' and schedule = '10 seconds' and active $$,
  'the clock looks every ten seconds'
);

select * from finish();
rollback;
