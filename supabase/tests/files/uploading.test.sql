-- staff.upload: files are announced and verified by the upload function, before they are sent.
begin;
select plan(39);

select tests.create_user(name) from unnest(array['ana', 'ben', 'eve']) as name;
select tests.create_room('lounge', members => array['ana', 'ben']);
create temporary table answers (name text, answer jsonb);
grant all on answers to service_role;

set local role service_role;
insert into answers
select
  'two',
  public.create_attachments(
    tests.user_id('ana'),
    tests.room_id('lounge'),
    '[{"file_name": "Café menu.pdf", "mime_type": "application/pdf", "size_bytes": 100},
      {"file_name": "sea.jpg", "mime_type": "Image/JPEG; q=1", "size_bytes": 52428800}]'
  );
select results_eq(
  $$ select upload ->> 'file_name', upload ->> 'mime_type', upload ->> 'resource_type'
     from answers, jsonb_array_elements(answer -> 'uploads') as upload where name = 'two' $$,
  $$ values ('Café menu.pdf', 'application/pdf', 'raw'), ('sea.jpg', 'image/jpeg', 'image') $$,
  'files are announced, in their order'
);
select results_eq(
  $$ select id::text, state::text from public.media_assets order by file_name $$,
  $$ select upload ->> 'attachment_id', 'pending' from answers, jsonb_array_elements(answer -> 'uploads') as upload where name = 'two' $$,
  'and pending from then on'
);
select results_eq(
  $$ select public_id from public.media_assets order by file_name $$,
  $$ select format('parley/%s%s', id, case file_name when 'sea.jpg' then '' else '.pdf' end)
     from public.media_assets order by file_name $$,
  'with a place at Cloudinary, which says neither whose they are nor of which chat'
);
insert into answers
select
  'storage',
  public.create_attachments(
    tests.user_id('ana'),
    tests.room_id('lounge'),
    '[{"file_name": "a é b.png", "mime_type": "image/png", "size_bytes": 1}]',
    'supabase'
  );
select is(
  (select answer #>> '{uploads,0,public_id}' from answers where name = 'storage'),
  (select format('uploads/%s/a_b.png', id) from public.media_assets where provider = 'supabase'),
  'messaging.upload: or a name in Storage that says as little'
);

select results_eq(
  $$ select refused ->> 'file_name', refused ->> 'error'
     from jsonb_array_elements(
       public.create_attachments(
         tests.user_id('ana'),
         tests.room_id('lounge'),
         '[{"file_name": "good.png", "mime_type": "image/png", "size_bytes": 1},
           {"file_name": "page.html", "mime_type": "text/html", "size_bytes": 1},
           {"file_name": "large.png", "mime_type": "image/png", "size_bytes": 52428801},
           {"file_name": "empty.png", "mime_type": "image/png", "size_bytes": 0},
           {"file_name": "../a.png", "mime_type": "image/png", "size_bytes": 1},
           {"mime_type": "image/png", "size_bytes": 1},
           {"file_name": "typeless.png", "size_bytes": 1}]'
       ) -> 'refused'
     ) as refused $$,
  $$ values
     ('page.html', 'file_type_not_allowed'),
     ('large.png', 'file_too_large'),
     ('empty.png', 'file_empty'),
     ('../a.png', 'file_name_invalid'),
     (null, 'file_name_invalid'),
     ('typeless.png', 'file_type_not_allowed') $$,
  'each file that cannot be sent is named, with the reason'
);
select is(
  (
    public.create_attachments(
      tests.user_id('ana'),
      tests.room_id('lounge'),
      '[{"file_name": "page.html", "mime_type": "text/html", "size_bytes": 1}]'
    ) #>> '{refused,0,message}'
  ),
  'Files of this type cannot be sent.', 'also in words for people'
);
select is((select count(*) from public.media_assets), 3::bigint, 'and none of them is announced then');
select is(
  public.create_attachments(tests.user_id('ana'), tests.room_id('lounge'), '[]'),
  '{"uploads": [], "refused": []}', 'no files, no uploads'
);
select tests.refuses(
  $$ select public.create_attachments(
       tests.user_id('ana'),
       tests.room_id('lounge'),
       (select jsonb_agg('{"file_name": "a.png", "mime_type": "image/png", "size_bytes": 1}'::jsonb) from generate_series(1, 11))
     ) $$,
  'too_many_attachments', 'at most ten at once'
);
select is(
  (
    select jsonb_array_length(
      public.create_attachments(
        tests.user_id('ana'),
        tests.room_id('lounge'),
        (select jsonb_agg('{"file_name": "a.png", "mime_type": "image/png", "size_bytes": 1}'::jsonb) from generate_series(1, 10))
      ) -> 'uploads'
    )
  ),
  10, 'ten are fine'
);
select tests.refuses(
  $$ select public.create_attachments(tests.user_id('eve'), tests.room_id('lounge'), '[]') $$,
  'not_a_member', 'nothing is announced for strangers'
);
select tests.refuses(
  $$ select public.create_attachments(tests.user_id('ana'), gen_random_uuid(), '[]') $$,
  'room_not_found', 'nor for chats that are not there'
);
select tests.refuses(
  $$ select public.create_attachments(tests.user_id('ana'), tests.room_id('lounge'), '[]') from generate_series(1, 60) $$,
  'too_many_requests', 'nor again and again'
);
select tests.as_owner();
update private.rate_buckets set tokens = 60;
update private.limits set value = 100 + (select sum(declared_size_bytes) from public.media_assets) where name = 'unsent_bytes';
set local role service_role;
select is(
  jsonb_array_length(public.create_attachments(
    tests.user_id('ana'), tests.room_id('lounge'), '[{"file_name": "last.txt", "mime_type": "text/plain", "size_bytes": 100}]'
  ) -> 'uploads'),
  1, 'as much may wait to be sent'
);
select tests.refuses(
  $$ select public.create_attachments(
    tests.user_id('ana'), tests.room_id('lounge'), '[{"file_name": "more.txt", "mime_type": "text/plain", "size_bytes": 1}]'
  ) $$,
  'too_much_unsent', 'and no more'
);
select tests.as_owner();
update private.limits set value = 2147483648 where name = 'unsent_bytes';
set local role service_role;

-- Looking at what has arrived
create temporary table waiting as select id from public.media_assets where file_name = 'last.txt';
select is(
  public.pending_uploads(tests.user_id('ana'), array(select id from waiting)) #>> '{0,file_name}', 'last.txt',
  'what nobody has looked at'
);
select is(
  public.pending_uploads(tests.user_id('eve'), array(select id from waiting)), '[]', 'of one''s own uploads'
);
select tests.refuses(
  $$ select public.pending_uploads(tests.user_id('ana'), array(select id from waiting)) from generate_series(1, 1000) $$,
  'too_many_requests', 'is not looked at again and again'
);

-- Verifying
create temporary table ids as
select file_name as name, id from public.media_assets where file_name in ('Café menu.pdf', 'sea.jpg', 'a é b.png');
select is(
  public.verify_attachment((select id from ids where name = 'sea.jpg'), 'image/png', 42) - array['attachment_id', 'message'],
  '{"state": "verified", "error": null}', 'a picture arrived as another kind of picture'
);
select results_eq(
  $$ select mime_type, size_bytes, declared_mime_type, declared_size_bytes
     from public.media_assets where file_name = 'sea.jpg' $$,
  $$ values ('image/png', 42::bigint, 'image/jpeg', 52428800::bigint) $$,
  'what arrived and what was announced are both known'
);
select is(
  public.verify_attachment((select id from ids where name = 'sea.jpg'), 'text/html', 0) - array['attachment_id', 'message'],
  '{"state": "verified", "error": null}', 'once verified it stays so'
);
select is(
  public.verify_attachment((select id from ids where name = 'a é b.png'), 'video/mp4', 1) - array['attachment_id', 'message'],
  '{"state": "delete_requested", "error": "file_type_not_allowed"}', 'a film that was to be a picture is given up'
);
select is(
  public.verify_attachment((select id from ids where name = 'Café menu.pdf'), 'application/pdf', 101) - 'attachment_id',
  '{"state": "delete_requested", "error": "file_too_large", "message": "This file is too large."}',
  'and so is what is larger than announced'
);
select tests.refuses(
  $$ select public.verify_attachment((select id from ids where name = 'Café menu.pdf'), 'application/pdf', 1) $$,
  'attachment_not_found', 'what was given up is not verified again'
);
select tests.refuses(
  $$ select public.verify_attachment(gen_random_uuid(), 'application/pdf', 1) $$,
  'attachment_not_found', 'nor what was never announced'
);

insert into answers
select
  name,
  public.create_attachments(
    tests.user_id('ana'), null, '[{"file_name": "evil.html", "mime_type": "text/plain"}]', provider::public.media_provider
  )
from (values ('later', 'supabase'), ('evil', 'cloudinary'), ('evil in Storage', 'supabase')) as v (name, provider);
select results_eq(
  $$ select room_id, declared_size_bytes from public.media_assets
     where id = (select (answer #>> '{uploads,0,attachment_id}')::uuid from answers where name = 'later') $$,
  $$ values (null::uuid, 52428800::bigint) $$,
  'messaging.upload: without a chat, and without a size: then it may be as large as any'
);
select is(
  (select answer #>> '{uploads,0,public_id}' from answers where name = 'evil'),
  (select format('parley/%s.txt', answer #>> '{uploads,0,attachment_id}') from answers where name = 'evil'),
  'a text that is named like a page is a text'
);
select is(
  (select answer #>> '{uploads,0,public_id}' from answers where name = 'evil in Storage'),
  (select format('uploads/%s/evil.html.txt', answer #>> '{uploads,0,attachment_id}') from answers where name = 'evil in Storage'),
  'in Storage too'
);
select is(
  public.verify_attachment((select (answer #>> '{uploads,0,attachment_id}')::uuid from answers where name = 'later'), 'text/plain', 52428801)
  ->> 'error',
  'file_too_large', 'nothing is larger than allowed'
);

-- The states
select tests.refuses(
  $$ insert into public.media_assets (
       provider, public_id, resource_type, state, file_name, declared_mime_type, declared_size_bytes, mime_type, size_bytes
     )
     values ('cloudinary', 'x', 'raw', 'verified', 'x', 'text/plain', 1, 'text/plain', 1) $$,
  'file_state_invalid', 'a file begins as pending'
);
select tests.refuses(
  $$ update public.media_assets set state = 'pending' where file_name = 'sea.jpg' $$,
  'file_state_invalid', 'it goes no step back'
);
select tests.refuses(
  $$ update public.media_assets set state = 'gone' where file_name = 'sea.jpg' $$,
  'file_state_invalid', 'and leaves none out'
);
select tests.refuses(
  $$ delete from public.media_assets where file_name = 'Café menu.pdf' $$,
  'file_state_invalid', 'its row does not go before it is gone'
);
update public.media_assets set state = 'gone' where file_name = 'Café menu.pdf';
select isnt_empty(
  $$ delete from public.media_assets where file_name = 'Café menu.pdf' returning id $$, 'then it may'
);

-- What is never sent
select tests.as_owner();
select private.sweep_uploads();
select is(
  (select count(*) from public.media_assets where state in ('pending', 'verified')), 14::bigint,
  'uploads of today are left alone'
);
update public.media_assets set created_at = now() - interval '25 hours' where file_name = 'sea.jpg';
select private.sweep_uploads();
select results_eq(
  $$ select file_name from public.media_assets where state = 'delete_requested' order by 1 $$,
  array['a é b.png', 'evil.html', 'sea.jpg'], 'what was not sent within a day is given up'
);
delete from auth.users where id = tests.user_id('ana');
select private.sweep_uploads();
select is_empty(
  $$ select id from public.media_assets where state in ('pending', 'verified') $$,
  'and so are the uploads of an account that ended'
);

select tests.sign_in('ben');
select throws_ok(
  $$ select public.create_attachments(tests.user_id('ben'), tests.room_id('lounge'), '[]') $$,
  '42501', 'permission denied for function create_attachments', 'people announce no files past the upload function'
);
select throws_ok(
  $$ select public.verify_attachment(gen_random_uuid(), 'text/plain', 1) $$,
  '42501', 'permission denied for function verify_attachment', 'and verify none'
);

select * from finish();
rollback;
